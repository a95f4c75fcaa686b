"""What a cascade gains over its small model, for what it costs more, against the line between its two models.

The formulas of AutoMix (arXiv 2310.12963, section 3.2) and RouteLLM (arXiv 2406.18665). P is mean quality, C mean cost;
S the small model alone, L the large one alone (neither is verified), M the cascade. With costs 1 for the small model, c
for the large one, v for a verification and a share e escalated, C_M = 1 + v + e·c.
"""

from __future__ import annotations

from dataclasses import dataclass

from automix_graph.evaluation.cascade import Cascade
from automix_graph.evaluation.outcomes import Outcomes
from automix_graph.evaluation.undefined import NOTHING, Measured, Undefined


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The two models that a cascade lies between.

    Attributes:
        small_quality: P_S, in [0, 1].
        small_cost: C_S, a question, where nothing else is asked.
        large_quality: P_L, in [0, 1].
        large_cost: C_L, a question, where nothing else is asked.

    Example:
        >>> Ends(small_quality=0.5, small_cost=1, large_quality=0.75, large_cost=21).slope
        0.0125
    """

    small_quality: float
    small_cost: float
    large_quality: float
    large_cost: float

    @classmethod
    def of(cls, outcomes: Outcomes) -> Ends:
        """Return the means of the cheapest and the dearest tier."""
        return cls(
            small_quality=float(outcomes.small.quality.mean()),
            small_cost=float(outcomes.small.alone_cost.mean()),
            large_quality=float(outcomes.large.quality.mean()),
            large_cost=float(outcomes.large.alone_cost.mean()),
        )

    @property
    def gap(self) -> Measured:
        """P_L - P_S; undefined where it is not positive, for then there is nothing to gain from the large model."""
        gap = self.large_quality - self.small_quality
        if gap > NOTHING:
            return gap
        return Undefined(
            f"the large model is not better than the small one ({self.large_quality:.4f} against "
            f"{self.small_quality:.4f}): there is no gap in quality to recover"
        )

    @property
    def extra_cost(self) -> Measured:
        """C_L - C_S; undefined where it is not positive, for then nothing is saved by the small model."""
        extra = self.large_cost - self.small_cost
        if extra > NOTHING:
            return extra
        return Undefined(
            f"the large model costs no more than the small one ({self.large_cost:g} against {self.small_cost:g})"
        )

    @property
    def slope(self) -> Measured:
        """Baseline IBC, (P_L - P_S)/(C_L - C_S)."""
        gap, extra = self.gap, self.extra_cost
        if isinstance(gap, Undefined):
            return gap
        return extra if isinstance(extra, Undefined) else gap / extra


def ibc(ends: Ends, cascade: Cascade) -> Measured:
    """Return the incremental benefit per cost, (P_M - P_S)/(C_M - C_S).

    Undefined where the large model is not better than the small one, or nothing is escalated.
    """
    if isinstance(ends.gap, Undefined):
        return ends.gap
    if cascade.escalated == 0.0:
        return Undefined("nothing was escalated: the answers are those of the small model")
    extra = float(cascade.cost.mean()) - ends.small_cost
    if extra <= NOTHING:
        return Undefined("the cascade costs no more than the small model: there is no cost to divide by")
    return (float(cascade.quality.mean()) - ends.small_quality) / extra


def ibc_lift(ends: Ends, cascade: Cascade) -> Measured:
    """Return how far the IBC is above that of the line between the models: (IBC - base)/base, 0.5 for 50 % above."""
    found, base = ibc(ends, cascade), ends.slope
    if isinstance(found, Undefined):
        return found
    return base if isinstance(base, Undefined) else (found - base) / base


def pgr(ends: Ends, quality: float) -> Measured:
    """Return the performance gap recovered, (P_M - P_S)/(P_L - P_S).

    Example:
        >>> round(pgr(Ends(small_quality=0.8, small_cost=1, large_quality=0.9, large_cost=21), 0.85), 6)
        0.5
    """
    gap = ends.gap
    return gap if isinstance(gap, Undefined) else (quality - ends.small_quality) / gap


def break_even_pgr(ends: Ends, cost: float) -> Measured:
    """Return the share of the gap that a cascade of this cost must recover to match mixing at random.

    That is (C_M - C_S)/(C_L - C_S), which for the costs above is (v + e·c)/(c - 1). Above 1 the large model alone is
    better and cheaper. `automix_graph.costs.QuestionCosts.needed_gap_share` foretells it from prices.
    """
    extra = ends.extra_cost
    return extra if isinstance(extra, Undefined) else (cost - ends.small_cost) / extra


@dataclass(frozen=True, kw_only=True)
class RandomMix:
    """The small model for some questions and the large one for the others, by lot, with nothing verified.

    Attributes:
        share_large: of questions that the large model answers, in [0, 1].
        quality: expected, in [0, 1].
        cost: expected, a question.

    Example:
        >>> RandomMix(share_large=0.5, quality=0.85, cost=11).share_large
        0.5
    """

    share_large: float
    quality: float
    cost: float


def random_mix(ends: Ends, cost: float) -> RandomMix | Undefined:
    """Return the random mix that costs as much as a cascade; the large model alone where that costs more.

    Example:
        >>> random_mix(Ends(small_quality=0.8, small_cost=1, large_quality=0.9, large_cost=21), 11)
        RandomMix(share_large=0.5, quality=0.8500000000000001, cost=11.0)
    """
    share = break_even_pgr(ends, cost)
    if isinstance(share, Undefined):
        return share
    share = min(1.0, share)
    return RandomMix(
        share_large=share,
        quality=ends.small_quality + share * (ends.large_quality - ends.small_quality),
        cost=ends.small_cost + share * (ends.large_cost - ends.small_cost),
    )


def gain_over_random_mix(ends: Ends, cascade: Cascade) -> Measured:
    """Return the quality above the random mix of the same cost (or the large model alone, if cheaper)."""
    mix = random_mix(ends, float(cascade.cost.mean()))
    return mix if isinstance(mix, Undefined) else float(cascade.quality.mean()) - mix.quality
