"""Two verifiers in a row: a cheap one decides the clear cases, and a dear one is asked about the others.

Each stage keeps its own scale of confidence; nothing here makes them comparable. That is no matter under a policy that
follows the verdict. One that compares confidences with a threshold decides about a mixture of both scales, so calibrate
each (`Combined` with one member does) or choose the zone with the policy in mind.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.records import Verdict, Verification
from automix_graph.verification.asking import aask, ask
from automix_graph.verification.bounds import in_unit_interval
from automix_graph.verification.members import check_member, member_signals, members_case, models_of_members
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed, reads_logprobs


@dataclass(frozen=True, kw_only=True)
class TwoStage:
    """Ask the second verifier only where the first is not sure.

    The first decides where its confidence is below ``low`` (INCORRECT) or above ``high`` (CORRECT), whatever verdict it
    gave itself. Everywhere else, both bounds included, the second decides, with its own confidence and verdict. It is
    the better judge, so it is asked as well where the first failed; where the second fails, there is no judgement.

    The signals are ``stage``, the one that decided (1 or 2), ``first`` and ``second``, the confidences of those that
    were asked, and their own signals under ``first.signal`` and ``second.signal``.

    Attributes:
        first: the cheap verifier.
        second: the dear one.
        low: lower bound of the grey zone, in [0, high].
        high: upper bound of the grey zone, in [low, 1]. From 0 to 1, the second is always asked.

    Raises:
        ConfigurationError: a stage is no verifier, or the bounds are not ``0 <= low <= high <= 1``.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.testing import ScriptedChatModel
        >>> from automix_graph.verification.answer_confidence import AnswerConfidence
        >>> from automix_graph.verification.short import ShortVerdict
        >>> judge = ScriptedChatModel(["Incorrect"])
        >>> verifier = TwoStage(first=AnswerConfidence(), second=ShortVerdict(judge=judge), low=0.2, high=0.9)
        >>> sure = Case(question="When?", passages=(), answer="May", prompts=load_prompts("en"), logprobs=(-0.01,))
        >>> verifier.verify(sure).verification.verdict.value, len(judge.prompts)
        ('CORRECT', 0)
        >>> unsure = Case(question="When?", passages=(), answer="May", prompts=load_prompts("en"), logprobs=(-0.5,))
        >>> verifier.verify(unsure).verification.verdict.value, len(judge.prompts)
        ('INCORRECT', 1)
    """

    first: Verifier
    second: Verifier
    low: float
    high: float

    def __post_init__(self) -> None:
        check_member("first", self.first)
        check_member("second", self.second)
        bounds = in_unit_interval(self.low) and in_unit_interval(self.high)
        if not bounds or self.low > self.high:
            raise ConfigurationError(
                f"the grey zone is from {self.low!r} to {self.high!r}; use confidences with 0 <= low <= high <= 1",
                code="bad-verifier",
            )

    @property
    def method(self) -> str:
        """``two-stage(FIRST, SECOND)``."""
        return f"two-stage({self.first.method}, {self.second.method})"

    @property
    def models(self) -> tuple[NamedModel, ...] | None:
        """The models of both stages, once each; None where one does not say whom it calls."""
        return models_of_members(self.first, self.second)

    @property
    def reads_logprobs(self) -> bool:
        """Whether a stage reads the log-probabilities of the answer."""
        return reads_logprobs(self.first) or reads_logprobs(self.second)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer, in one stage or two."""
        case = members_case(case)
        first = ask(self.first, case, config)
        return self._decided(first) or self._second(first, ask(self.second, case, config))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer, in one stage or two, asynchronously."""
        case = members_case(case)
        first = await aask(self.first, case, config)
        return self._decided(first) or self._second(first, await aask(self.second, case, config))

    def _decided(self, first: Judgement) -> Judgement | None:
        """Return the judgement of the first stage, or None where it leaves the case to the second."""
        found = first.verification
        if found.confidence is None or self.low <= found.confidence <= self.high:
            return None
        verification = dataclasses.replace(
            found,
            method=self.method,
            verdict=Verdict.CORRECT if found.confidence > self.high else Verdict.INCORRECT,
            signals={"stage": 1.0, **member_signals({"first": found})},
        )
        return Judgement(verification=verification, calls=first.calls)

    def _second(self, first: Judgement, second: Judgement) -> Judgement:
        found = second.verification
        if found.failure is not None:
            found = failed(self.method, self._failure(first.verification, found.failure))
        signals = member_signals({"first": first.verification, "second": second.verification})
        verification = dataclasses.replace(
            found,
            method=self.method,
            verdicts=(*first.verification.verdicts, *second.verification.verdicts),
            signals={"stage": 2.0, **signals},
        )
        return Judgement(verification=verification, calls=(*first.calls, *second.calls))

    def _failure(self, first: Verification, reason: str) -> str:
        also = f"; the first stage had failed: {first.failure}" if first.failure is not None else ""
        return f"the second stage failed: {reason}{also}"
