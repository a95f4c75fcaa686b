"""Several verifiers as one: their confidences become log-odds, and a logistic regression weighs them.

It weighs what the members say and knows nothing of how they came to it. Members that make the same mistakes add little
to each other; that is what the fit finds out. A single member is recalibrated.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from langchain_core.runnables import RunnableConfig
from numpy.typing import ArrayLike

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.records import Verdict, Verification
from automix_graph.verification.asking import aask, ask
from automix_graph.verification.bounds import check_threshold
from automix_graph.verification.logistic import Logistic, check_scale, fit_logistic
from automix_graph.verification.members import (
    check_member,
    least_read,
    member_signals,
    members_case,
    models_of_members,
)
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed, reads_logprobs

LEAST_CONFIDENCE: Final = 0.001
"""Confidences are clipped to this and 1 minus this: the log-odds of a verdict without doubt would be infinite."""


def clipped_log_odds(confidence: float) -> float:
    """Return ``ln(c / (1 - c))`` of a confidence clipped to [0.001, 0.999].

    Example:
        >>> clipped_log_odds(0.5), round(clipped_log_odds(1.0), 2)
        (0.0, 6.91)
    """
    clipped = min(max(confidence, LEAST_CONFIDENCE), 1.0 - LEAST_CONFIDENCE)
    return math.log(clipped / (1.0 - clipped))


def fit_combined(confidences: Mapping[str, ArrayLike], correct: ArrayLike, *, ridge: float = 1.0) -> Logistic:
    """Fit the scale of `Combined` to answers that are known to be correct or not; see `fit_logistic`.

    Args:
        confidences: of each member, by its name, each of shape (n,), in [0, 1]. Leave out answers that a member failed
            to judge.
        correct: whether each answer is correct, shape (n,).
        ridge: strength of the penalty, above 0.

    Raises:
        ConfigurationError: a confidence lies outside [0, 1], or `fit_logistic` refuses what is given.

    Example:
        >>> scale = fit_combined({"judge": [0.1, 0.9] * 10, "coin": [0.5] * 20}, [False, True] * 10)
        >>> scale.weights["judge"] > 0, scale.weights["coin"]
        (True, 0.0)
    """
    if not isinstance(confidences, Mapping):
        raise ConfigurationError(
            f"confidences are a {type(confidences).__name__}; give a mapping of members' names", code="bad-fit"
        )
    return fit_logistic({name: _log_odds(name, given) for name, given in confidences.items()}, correct, ridge=ridge)


@dataclass(frozen=True, kw_only=True)
class Combined:
    """Ask several verifiers and weigh their confidences.

    All are asked even if one fails: together where the graph runs asynchronously, else one after another. If one fails,
    the whole does, for there is no confidence to weigh; every call is charged all the same.

    The signals hold each member's confidence under its name, and its own signals under ``name.signal``. The reading is
    that of the member that read least of the passages; None where no member left anything out.

    Attributes:
        verifiers: the members by name, at least one.
        scale: weighs their confidences, as clipped log-odds (see `clipped_log_odds`), by the same names; `fit_combined`
            finds it.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT.

    Raises:
        ConfigurationError: there is no member, one is no verifier, a name is empty or has a ``.`` or ``+``, the scale
            weighs other names, or the threshold lies outside [0, 1].

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.testing import ScriptedChatModel
        >>> from automix_graph.verification.answer_confidence import AnswerConfidence
        >>> from automix_graph.verification.short import ShortVerdict
        >>> verifier = Combined(
        ...     verifiers={"judge": ShortVerdict(judge=ScriptedChatModel(["Correct"])), "own": AnswerConfidence()},
        ...     scale=Logistic(intercept=0.0, weights={"judge": 0.2, "own": 0.5}),
        ... )
        >>> case = Case(question="When?", passages=(), answer="May", prompts=load_prompts("en"), logprobs=(-0.1,))
        >>> found = verifier.verify(case).verification
        >>> found.method, round(found.confidence, 2)
        ('combined(judge+own)', 0.92)
    """

    verifiers: Mapping[str, Verifier]
    scale: Logistic
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if not isinstance(self.verifiers, Mapping) or not self.verifiers:
            raise ConfigurationError(
                f"verifiers are {self.verifiers!r}; give a mapping of at least one name to a verifier",
                code="bad-verifier",
            )
        for name, member in self.verifiers.items():
            if not isinstance(name, str) or not name or set(name) & set(".+"):
                raise ConfigurationError(
                    f"the name of a verifier is {name!r}; use a text without '.' and '+'", code="bad-verifier"
                )
            check_member(name, member)
        check_scale(self.scale)
        if self.scale.weights.keys() != self.verifiers.keys():
            raise ConfigurationError(
                f"the scale weighs {sorted(self.scale.weights)} and the verifiers are {sorted(self.verifiers)}; fit it "
                "with fit_combined under the same names",
                code="bad-fit",
            )
        object.__setattr__(self, "verifiers", dict(self.verifiers))

    @property
    def method(self) -> str:
        """``combined(NAME+NAME)``."""
        return f"combined({'+'.join(self.verifiers)})"

    @property
    def models(self) -> tuple[NamedModel, ...] | None:
        """The models of all members, once each; None where a member does not say whom it calls."""
        return models_of_members(*self.verifiers.values())

    @property
    def reads_logprobs(self) -> bool:
        """Whether any member reads the log-probabilities of the answer."""
        return any(reads_logprobs(member) for member in self.verifiers.values())

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer; the members are asked one after another."""
        case = members_case(case)
        return self._weigh([ask(member, case, config) for member in self.verifiers.values()])

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer; the members are asked together."""
        case = members_case(case)
        # All are awaited even if one raises, so that none goes on behind the back of whoever asked.
        found = await asyncio.gather(
            *(aask(member, case, config) for member in self.verifiers.values()), return_exceptions=True
        )
        judgements = []
        for one in found:
            if isinstance(one, BaseException):
                raise one
            judgements.append(one)
        return self._weigh(judgements)

    def _weigh(self, judgements: list[Judgement]) -> Judgement:
        calls = tuple(call for judgement in judgements for call in judgement.calls)
        found = {name: judgement.verification for name, judgement in zip(self.verifiers, judgements, strict=True)}
        return Judgement(verification=self._verification(found), calls=calls)

    def _verification(self, found: Mapping[str, Verification]) -> Verification:
        signals = member_signals(found)
        failures = [f"{name}: {one.failure}" for name, one in found.items() if one.failure is not None]
        if failures:
            verification = failed(self.method, "; ".join(failures))
            return dataclasses.replace(verification, signals=signals, reading=least_read(found.values()))
        odds = {name: clipped_log_odds(one.confidence) for name, one in found.items() if one.confidence is not None}
        confidence = self.scale.probability(odds)
        return Verification(
            method=self.method,
            verdict=Verdict.CORRECT if confidence > self.threshold else Verdict.INCORRECT,
            confidence=confidence,
            verdicts=tuple(verdict for one in found.values() for verdict in one.verdicts),
            signals=signals,
            reading=least_read(found.values()),
        )


def _log_odds(name: str, confidences: ArrayLike) -> list[float]:
    try:
        given = np.asarray(confidences, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"confidences of {name!r} hold something else than numbers", code="bad-fit") from error
    if given.ndim != 1 or not ((given >= 0.0) & (given <= 1.0)).all():
        raise ConfigurationError(
            f"confidences of {name!r} have shape {given.shape}, or one lies outside [0, 1]; give shape (n,), and leave "
            "out answers without a judgement",
            code="bad-fit",
        )
    return [clipped_log_odds(confidence) for confidence in given.tolist()]
