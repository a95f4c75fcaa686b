"""What was found about a draft, and what was decided about it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal


class Verdict(StrEnum):
    """One parsed judgement of an answer."""

    CORRECT = "CORRECT"
    INCORRECT = "INCORRECT"
    UNPARSED = "UNPARSED"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a judge read instead of all passages as they are.

    Attributes:
        kind: ``"budget"`` where passages were left out to fit, ``"evidence"`` where only some sentences were read.
        passages: positions, from 0, of the passages that were read, in part or whole.
        omitted: positions of those of which nothing was read.
        tokens: of the context that was read, as far as the counter of the verifier can tell.
        cut: positions of the passages that were read only in part.
    """

    kind: Literal["budget", "evidence"]
    passages: tuple[int, ...]
    omitted: tuple[int, ...]
    tokens: int
    cut: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the verifier found about one draft: a verdict with a confidence, or UNPARSED with the reason.

    Attributes:
        method: the verifier's name.
        verdict: the judgement; UNPARSED where there is none to trust.
        confidence: estimate in [0, 1] that the draft is correct; None where there is no judgement.
        verdicts: every verdict drawn, in order.
        failure: why there is no judgement; None where there is one.
        signals: the numbers behind the confidence, by name; what is needed to work it out in another way later.
        reading: what the judge read, where that was not all passages as they are.

    Raises:
        ValueError: the confidence lies outside [0, 1], a signal is no number, or the fields contradict each other.
    """

    method: str
    verdict: Verdict
    confidence: float | None
    verdicts: tuple[Verdict, ...] = ()
    failure: str | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    reading: Reading | None = None

    def __post_init__(self) -> None:
        # NumPy's numbers and other mappings than dict become what JSON can hold.
        if self.confidence is not None:
            object.__setattr__(self, "confidence", self._number("confidence", self.confidence))
        signals = {str(name): self._number(f"signal {name!r}", value) for name, value in self.signals.items()}
        object.__setattr__(self, "signals", signals)
        self._check()

    def _number(self, name: str, value: object) -> float:
        try:
            if not isinstance(value, str | bytes):
                return float(value)  # type: ignore[arg-type]  # what is no number is refused below
        except (TypeError, ValueError, OverflowError):
            pass
        raise ValueError(f"{name} of verifier {self.method!r} is a {type(value).__name__}, which is no number")

    def _check(self) -> None:
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(
                f"confidence of verifier {self.method!r} is {self.confidence!r}; it must be a number in [0, 1], "
                "or None with a failure that says why there is none"
            )
        if not isinstance(self.verdict, Verdict):
            raise ValueError(f"verdict of verifier {self.method!r} is {self.verdict!r}; it must be a Verdict")
        judged = (self.verdict is not Verdict.UNPARSED, self.confidence is not None, self.failure is None)
        if len(set(judged)) > 1:
            raise ValueError(
                f"verifier {self.method!r} must give either CORRECT or INCORRECT with a confidence, or UNPARSED with a "
                f"failure; it gave {self.verdict.value}, confidence={self.confidence!r} and failure={self.failure!r}"
            )


SKIPPED: Final = Verification(
    method="skipped", verdict=Verdict.UNPARSED, confidence=None, failure="the tier was not asked"
)
"""Holds the place of a tier that was not asked, in a history and in a record."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a policy made of the verifications so far: the draft is kept, a tier is asked, or the question is given up.

    With neither ``accept``, ``next_tier`` nor ``abstain`` the question goes to the next tier, which is all that there
    is to escalating between two.

    Attributes:
        accept: True keeps the draft. False escalates, unless ``abstain`` is set.
        policy: the policy's name.
        reason: the rule that decided, with its numbers, for people.
        next_tier: position, from 0 for the cheapest, of the tier that is asked next, where those in between are to be
            skipped; -1 for the last tier, however many there are; None for the one after the draft's.
        abstain: True gives no answer at all: no tier is expected to have one that is good enough.

    Raises:
        ValueError: more than one of ``accept``, ``next_tier`` and ``abstain`` is set, or there is no such position.

    Example:
        >>> Decision(accept=False, policy="always(large)", reason="every question goes there", next_tier=-1).next_tier
        -1
    """

    accept: bool
    policy: str
    reason: str
    next_tier: int | None = None
    abstain: bool = False

    def __post_init__(self) -> None:
        if self.accept + self.abstain + (self.next_tier is not None) > 1:
            raise ValueError(
                f"a decision of policy {self.policy!r} has accept={self.accept!r}, abstain={self.abstain!r} and "
                f"next_tier={self.next_tier!r}; it can keep the draft, give up, or name the next tier, one of the three"
            )
        if self.next_tier is not None and (self.next_tier < -1 or self.next_tier == 0):
            raise ValueError(
                f"next_tier of policy {self.policy!r} is {self.next_tier!r}; use a position above 0, or -1 for the last"
            )
