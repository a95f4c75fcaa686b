"""Votes: the judge is asked several times, and confidence is the share of CORRECT among the decisions that it made.

This is the self-verification of the AutoMix paper (arXiv 2310.12963). It needs a judge that can be sampled: one that
takes no temperature (by its LangChain profile, as many reasoning models) is asked without one, and its votes differ
only as far as it likes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, get_args

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel, named
from automix_graph.models.sampling import Drawn, adraw, draw
from automix_graph.records import Call, Verdict, Verification
from automix_graph.verification.prompting import VerifyPrompt, check_prompt, judge_messages
from automix_graph.verification.stopping import Stopping, Tally
from automix_graph.verification.verifier import Case, Judgement
from automix_graph.verification.written import MaxTokens, WrittenForm, capped, check_max_tokens, read_decision

_MOST_SAMPLES: Final = 100
_MOST_ADAPTIVE: Final = 32
"""What can still come of the votes grows with the cube of their number, and is gone through for every answer."""


@dataclass(frozen=True, kw_only=True)
class Votes:
    """Ask a model for several verdicts on the same answer.

    A reply without a decision, and a call that failed, is an UNPARSED vote: it counts for neither side. The verdict is
    CORRECT exactly if the confidence is above 0.5.

    With ``adaptive``, drawing stops as soon as no further vote can change what the policy in force does. The decision
    is the one that all ``samples`` votes would have led to, if the policy is a function of the verification and does
    not look at the order of its verdicts; it need not be monotone. Confidence and signals are those of the votes that
    were drawn, so to calibrate a policy, or to decide again under another one, draw all of them.

    Attributes:
        judge: the model that judges, or its name.
        samples: how many votes to draw, from 1 to 100; with ``adaptive``, how many at most, from 1 to 32.
        temperature: of the draws; above 0, unless there is only one.
        quorum: how many of the samples must hold a decision, or there is no judgement; None: more than half.
        form: of a vote: ``"short"`` is a decision alone, ``"reasoned"`` a reason and then the decision.
        prompt: what the judge is asked; None takes the built-in prompt of the case.
        max_tokens: cap on each reply, in tokens; ``"auto"`` and None as in `ShortVerdict` and `ReasonedVerdict`.
        adaptive: whether to stop early. Where nobody has decided on a policy (`Case.accepts`), all votes are drawn.

    Raises:
        ConfigurationError: an argument lies outside its range, or the judge is no model.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> verifier = Votes(judge=ScriptedChatModel(["Correct", "Incorrect", "Correct", "Correct"]), samples=4)
        >>> passages = (Passage(text="In May."),)
        >>> case = Case(question="When?", passages=passages, answer="In May", prompts=load_prompts("en"))
        >>> verifier.verify(case).verification.confidence
        0.75
    """

    judge: str | BaseChatModel | NamedModel
    samples: int = 8
    temperature: float = 1.0
    quorum: int | None = None
    form: WrittenForm = "short"
    prompt: VerifyPrompt | None = None
    max_tokens: MaxTokens = "auto"
    adaptive: bool = False

    def __post_init__(self) -> None:
        most = _MOST_ADAPTIVE if self.adaptive else _MOST_SAMPLES
        if not _is_count(self.samples, most):
            raise ConfigurationError(
                f"samples is {self.samples!r} with adaptive={self.adaptive!r}; use a whole number from 1 to {most}"
            )
        if self.quorum is not None and not _is_count(self.quorum, self.samples):
            raise ConfigurationError(
                f"quorum is {self.quorum!r}; use a whole number from 1 to samples={self.samples}, or None for more "
                "than half"
            )
        if self.form not in get_args(WrittenForm):
            raise ConfigurationError(f"form is {self.form!r}; use 'short' or 'reasoned'")
        _check_temperature(self.temperature, self.samples)
        check_max_tokens(self.max_tokens)
        check_prompt(self.prompt)
        _ = self.model  # a model that cannot be had is refused now

    @cached_property
    def model(self) -> NamedModel:
        """The judge with its label."""
        return named(self.judge)

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The judge alone."""
        return (self.model,)

    @property
    def method(self) -> str:
        """``votes``."""
        return "votes"

    @property
    def least_parsed(self) -> int:
        """How many votes must hold a decision."""
        return self.samples // 2 + 1 if self.quorum is None else self.quorum

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer by votes."""
        ballot = _Ballot(votes=self, case=case)
        asked = judge_messages(self.prompt, case, self.form)
        while count := ballot.wanted():
            ballot.add(draw(self.model, asked, count=count, stage="verify", config=config, options=self._options))
        return ballot.judgement()

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer by votes, asynchronously."""
        ballot = _Ballot(votes=self, case=case)
        asked = judge_messages(self.prompt, case, self.form)
        while count := ballot.wanted():
            ballot.add(
                await adraw(self.model, asked, count=count, stage="verify", config=config, options=self._options)
            )
        return ballot.judgement()

    def count(self, verdicts: Sequence[Verdict], reasons: Sequence[str] = ()) -> Verification:
        """Return what votes amount to.

        Fewer votes than ``samples`` are those of a draw that stopped early: a quorum that they fall short of, but could
        still reach, is not held against them.

        Args:
            verdicts: in the order in which they were drawn, at most ``samples``.
            reasons: why some of them hold no decision.
        """
        votes, correct = len(verdicts), verdicts.count(Verdict.CORRECT)
        parsed = votes - verdicts.count(Verdict.UNPARSED)
        signals = {"votes": votes, "parsed": parsed, "correct": correct}
        if not parsed or parsed + self.samples - votes < self.least_parsed:
            must = f"{self.least_parsed} of {self.samples} must"
            often = "".join(f"; most often: {reason}" for reason, _ in Counter(reasons).most_common(1))
            return Verification(
                method=self.method,
                verdict=Verdict.UNPARSED,
                confidence=None,
                verdicts=tuple(verdicts),
                failure=f"{parsed} of {votes} votes hold a decision, and {must}{often}",
                signals=signals,
            )
        confidence = correct / parsed
        verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
        return Verification(
            method=self.method, verdict=verdict, confidence=confidence, verdicts=tuple(verdicts), signals=signals
        )

    @property
    def _options(self) -> dict[str, Any]:
        model = self.model.model
        sampled = (model.profile or {}).get("temperature", True)
        return {**({"temperature": self.temperature} if sampled else {}), **capped(model, self.max_tokens, self.form)}


@dataclass(kw_only=True)
class _Ballot:
    """The votes on one answer, while they come in."""

    votes: Votes
    case: Case
    verdicts: list[Verdict] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def wanted(self) -> int:
        """Return how many votes to draw now."""
        if self._stopping is None:
            return self.votes.samples - len(self.verdicts)
        needed = self._stopping.needed(self._tally())
        return needed if self.verdicts else max(1, needed)  # a policy may have decided already, but about what?

    def add(self, drawn: Drawn) -> None:
        self.calls += drawn.calls
        for attempt in drawn.replies:
            verdict, reason = read_decision(attempt, self.case.prompts.words, self.votes._options)
            self.verdicts.append(verdict)
            if reason is not None:
                self.reasons.append(reason)

    def judgement(self) -> Judgement:
        return Judgement(verification=self.votes.count(self.verdicts, self.reasons), calls=tuple(self.calls))

    @cached_property
    def _stopping(self) -> Stopping | None:
        accepts = self.case.accepts
        if accepts is None or not self.votes.adaptive:
            return None
        return Stopping(self.votes.samples, lambda tally: accepts(self.votes.count(_verdicts(tally))))

    def _tally(self) -> Tally:
        return Tally(*map(self.verdicts.count, (Verdict.CORRECT, Verdict.INCORRECT, Verdict.UNPARSED)))


def _verdicts(tally: Tally) -> list[Verdict]:
    return (
        [Verdict.CORRECT] * tally.correct + [Verdict.INCORRECT] * tally.incorrect + [Verdict.UNPARSED] * tally.unparsed
    )


def _is_count(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _check_temperature(temperature: float, samples: int) -> None:
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ConfigurationError(f"temperature is {temperature!r}; use a finite number, 0 or more")
    if temperature == 0 and samples > 1:
        raise ConfigurationError(
            f"temperature 0 draws the same vote {samples} times; use one above 0, or samples=1 (or a single verdict)"
        )
