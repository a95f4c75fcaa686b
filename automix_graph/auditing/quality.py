"""What kept answers lose, beside the bound that was certified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from automix_graph.auditing.sampled import Sampled
from automix_graph.auditing.sequences import bernoulli_e_value, lower_sequence, upper_sequence
from automix_graph.calibration.certificate import Risk
from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What is to hold.

    Attributes:
        risk: ``"error"``: the mean loss of kept answers; ``"regret"``: that of all questions, 0 where nothing is kept.
        alpha: the most it may be, in (0, 1).
        label: what quality was when it was certified; None where the caller has named the bound.
    """

    risk: Risk = "error"
    alpha: float
    label: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.alpha, int | float) and 0.0 < self.alpha < 1.0):
            raise ConfigurationError(f"the bound on the error is {self.alpha!r}; use a number between 0 and 1")

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self | None:
        """Return what a calibration has certified; None if it has certified nothing."""
        certificate = facts.get("certificate")
        if not isinstance(certificate, Mapping):
            return None
        return cls(risk=certificate["risk"], alpha=certificate["alpha"], label=facts.get("label"))


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The mean loss against the large model.

    Attributes:
        risk: as for `Bound`.
        n: over so many questions.
        loss: the sum of their losses.
        estimate: the mean, weighted by one over the rate at which each was drawn; None without questions.
        low: of an interval that holds at all times together, however often it is looked at.
        high: likewise.
        level: of it.
        alpha: the bound; None where there is none.
        evidence: the most that there has been, at any time, against the claim that the risk is at most `alpha`; the
            claim is given up at `given_up_at`. None without a bound.
        given_up_at: 2 / (1 - level).
    """

    risk: Risk
    n: int
    loss: float
    estimate: float | None
    low: float
    high: float
    level: float
    alpha: float | None
    evidence: float | None
    given_up_at: float

    @property
    def is_broken(self) -> bool:
        """Whether the evidence against the bound has ever been enough."""
        return self.evidence is not None and self.evidence >= self.given_up_at


def quality_of(found: Sampled, bound: Bound | None, *, level: float) -> Quality:
    """Return the mean loss of questions with its interval, and the evidence against a bound.

    Args:
        found: in the order of time.
        bound: None: there is none, and the error of kept answers is looked at.
        level: of the interval, in (0, 1); each end may be wrong with half of the rest.
    """
    risk: Risk = "error" if bound is None else bound.risk
    counted = found.kept if risk == "error" else np.ones(found.n, dtype=np.bool_)
    losses, weights = found.loss[counted], found.weight[counted]
    n, loss, delta = losses.size, float(losses.sum()), (1.0 - level) / 2.0
    return Quality(
        risk=risk,
        n=n,
        loss=loss,
        estimate=float(np.average(losses, weights=weights)) if n else None,
        low=lower_sequence(loss, n, delta=delta),
        high=upper_sequence(loss, n, delta=delta),
        level=level,
        alpha=None if bound is None else bound.alpha,
        evidence=None if bound is None else _most_evidence(losses, bound.alpha),
        given_up_at=1.0 / delta,
    )


def _most_evidence(losses: NDArray[np.float64], alpha: float) -> float:
    """Return the highest evidence after any number of losses; it only rises at one that is above 0."""
    sums = np.cumsum(losses)
    looks = np.flatnonzero(losses > 0.0)
    return max((bernoulli_e_value(float(sums[at]), int(at) + 1, risk=alpha) for at in looks), default=1.0)


def rows_to_tell(quality: Quality, *, tolerated: float) -> int | None:
    """Return about how many questions it takes until the interval tells, at the mean loss so far.

    It tells if it lies below what is tolerated, or above the bound.

    Returns:
        The number; None if a million are not enough, or there is no bound.
    """
    if quality.alpha is None:
        return None
    mean, delta = quality.loss / quality.n if quality.n else 0.0, 1.0 / quality.given_up_at

    def tells(n: int) -> bool:
        below = upper_sequence(mean * n, n, delta=delta) <= tolerated
        return below or lower_sequence(mean * n, n, delta=delta) > (quality.alpha or 0.0)

    high = max(quality.n, 1)
    while not tells(high):
        high *= 2
        if high > 1_000_000:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tells(middle) else (middle, high)
    return high
