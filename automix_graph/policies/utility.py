"""A policy that pays for the next tier exactly where what it is expected to add is worth its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.bins import StepCurve
from automix_graph.policies.charges import check_charges
from automix_graph.policies.policy import ABSTAIN, Judged
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class UtilityPolicy:
    """Escalate exactly if E[gain | confidence] > lam * cost, the gain being large quality - small quality.

    The gain need not fall with confidence: where the small model fails with confidence, or hard questions are beyond
    both models, the curve says so. For two tiers; for more, see `OptimalStopping`.

    Attributes:
        gain: expected quality of the large answer less that of the small one, by confidence.
        lam: what a unit of cost is worth in quality, at least 0; the reciprocal of the price of an error.
        cost: what escalating one question costs, at least 0.
        best: expected quality of the better one of the two answers, by confidence; needed with ``abstain_below`` only.
        abstain_below: give the question up where even the better answer is expected to be worse than this; None: never.

    Raises:
        ConfigurationError: a number is out of range, or ``abstain_below`` has no ``best`` to be compared with.

    Example:
        >>> from automix_graph.policies import Bins
        >>> from automix_graph.records import Verdict
        >>> gain = StepCurve(bins=Bins((0.2, 0.7)), values=(0.01, 0.45, 0.05))
        >>> policy = UtilityPolicy(gain=gain, lam=0.01, cost=20)
        >>> policy.keeps
        'confidence in [0, 0.2) or [0.7, 1]'
        >>> policy.decide([Verification(method="votes", verdict=Verdict.CORRECT, confidence=0.625)]).reason
        'confidence 0.625: expected gain 0.450 is above lam * cost = 0.200'
    """

    gain: StepCurve
    lam: float
    cost: float
    best: StepCurve | None = None
    abstain_below: float | None = None

    def __post_init__(self) -> None:
        check_charges(costs=(self.cost,), lam=self.lam, abstain_below=self.abstain_below)
        if self.abstain_below is not None and self.best is None:
            raise ConfigurationError(
                f"abstain_below is {self.abstain_below!r} without a curve of the best quality; give best as well"
            )

    @property
    def name(self) -> str:
        """``utility(lam * cost)``, with what is abstained from where it is."""
        floor = "" if self.abstain_below is None else f", abstain below {self.abstain_below:g}"
        return f"utility(gain > {self.lam * self.cost:.4g}{floor})"

    @property
    def keeps(self) -> str:
        """The intervals of confidence that are kept."""
        bounds = self.gain.bins
        kept = [value <= self.lam * self.cost for value in self.gain.values]
        floor = "" if self.abstain_below is None else f", and best quality expected >= {self.abstain_below:g}"
        return bounds.describe(kept) + floor

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last verification."""
        confidence = history[-1].confidence
        if confidence is None:
            return Decision(accept=False, policy=self.name, reason="there is no confidence")
        best = None if self.best is None else self.best.at(confidence)
        if best is not None and self.abstain_below is not None and best < self.abstain_below:
            reason = f"confidence {confidence:.3f}: best quality expected {best:.3f} is below {self.abstain_below:g}"
            return Decision(accept=False, policy=self.name, reason=reason, abstain=True)
        gain, price = self.gain.at(confidence), self.lam * self.cost
        reason = (
            f"confidence {confidence:.3f}: expected gain {gain:.3f} is {'above' if gain > price else 'not above'} "
            f"lam * cost = {price:.3f}"
        )
        return Decision(accept=gain <= price, policy=self.name, reason=reason)

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        kept: NDArray[np.bool_] = self.moves(history, len(history) + 1) == len(history) - 1
        return kept

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,)."""
        import numpy as np

        confidence, position = history[-1].confidence, len(history) - 1
        escalates = np.array([*(value > self.lam * self.cost for value in self.gain.values), True])
        found = position + escalates[self.gain.bins.indices(confidence)].astype(np.intp)
        if self.best is not None and self.abstain_below is not None:
            hopeless = np.array([*(value < self.abstain_below for value in self.best.values), False])
            found[hopeless[self.best.bins.indices(confidence)]] = ABSTAIN
        return found
