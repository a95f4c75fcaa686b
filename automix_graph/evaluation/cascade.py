"""What becomes of every question when tiers are asked one after the other until an answer is kept.

Every answer and every verification on the way is paid for: with tiers 1, 2, …, a question that ends at tier t costs the
answers of tiers 1 to t and the verifications of tiers 1 to t, of which the last tier has none. For two tiers that is
small + verification + (if escalated) large. What is kept is decided outside; skipping tiers is
not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.outcomes import Outcomes, confidence_of


@dataclass(frozen=True)
class Rule:
    """A fixed threshold on the confidence, the same at every tier.

    Attributes:
        minimum: the threshold, in [0, 1].
        above: True keeps an answer if its confidence is above the threshold, False also if it is equal.
        in_hindsight: whether the threshold was chosen on the outcomes that it is measured on.

    Raises:
        ValueError: the threshold lies outside [0, 1].

    Example:
        >>> Rule(0.7).name, Rule(0.7).keeps, Rule(0.7).keep(np.array([0.6, 0.7]))
        ('threshold(0.7)', 'confidence >= 0.7', array([False,  True]))
    """

    minimum: float
    above: bool = False
    in_hindsight: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.minimum <= 1.0:
            raise ValueError(f"threshold {self.minimum!r} is not a confidence; use a number in [0, 1]")

    @property
    def name(self) -> str:
        """As the policies are called: ``accept-correct``, or ``threshold(minimum)``."""
        return "accept-correct" if self == ACCEPT_CORRECT else f"threshold({self.minimum:g})"

    @property
    def keeps(self) -> str:
        """Which answers are kept, in words."""
        return f"confidence {'>' if self.above else '>='} {self.minimum:g}"

    def keep(self, confidence: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which answers are kept, shape (n,)."""
        return confidence > self.minimum if self.above else confidence >= self.minimum


ACCEPT_CORRECT = Rule(0.5, above=True)
"""The default: an answer is kept if the verdict is CORRECT, which its confidence says by lying above 0.5."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascade:
    """Where every question ended.

    Attributes:
        route: shape (n,), the position of the tier whose answer was kept, from 0.
        quality: shape (n,), of the answer that was kept.
        cost: shape (n,), of all answers and verifications on the way.

    Example:
        >>> Cascade(route=np.array([0, 1]), quality=np.array([1.0, 1.0]), cost=np.array([1.5, 21.5])).escalated
        0.5
    """

    route: NDArray[np.intp]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]

    @property
    def escalated(self) -> float:
        """The share of questions that went beyond the first tier."""
        return float(np.mean(self.route > 0))


def run_cascade(outcomes: Outcomes, kept: Sequence[NDArray[np.bool_]]) -> Cascade:
    """Send every question up the tiers until an answer is kept.

    Args:
        outcomes: of every tier.
        kept: for each tier but the last, whether its answer would be kept if the question came so far; shape (n,).

    Raises:
        ValueError: there is not one column for each tier but the last, or one has another length.

    Example:
        >>> from automix_graph.evaluation.outcomes import Tier
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20)))
        >>> run_cascade(table, [np.array([True, False])]).cost
        array([ 1.5, 21.5])
    """
    judged = outcomes.tiers[:-1]
    if len(kept) != len(judged) or any(column.shape != (outcomes.n,) for column in kept):
        shapes = [column.shape for column in kept]
        raise ValueError(
            f"kept has shapes {shapes!r}; give {len(judged)} of shape ({outcomes.n},), one a verified tier"
        )
    route = np.zeros(outcomes.n, dtype=np.intp)
    cost = np.zeros(outcomes.n)
    here = np.ones(outcomes.n, dtype=np.bool_)
    for position, tier in enumerate(outcomes.tiers):
        cost += np.where(here, tier.cost, 0.0)
        route[here] = position
        if position < len(judged):
            cost += np.where(here, tier.verify_cost, 0.0)
            here = here & ~kept[position]
    quality = np.choose(route, [tier.quality for tier in outcomes.tiers])
    return Cascade(route=route, quality=quality, cost=cost)


def follow(outcomes: Outcomes, rule: Rule) -> Cascade:
    """Return where every question ends under a fixed threshold at every tier."""
    return run_cascade(outcomes, [rule.keep(confidence_of(tier)) for tier in outcomes.tiers[:-1]])
