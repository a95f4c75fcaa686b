"""Kinds of policies that a calibration chooses among: each proposes rules for the rows it is given.

A family that has a weight of cost (lam) proposes the rules that different weights lead to, unless the target fixes the
weight. Which of them meets the target, and which family is to be believed, is decided elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.binning import Binning, monotone, quantile_bins, question_weights
from automix_graph.calibration.cells import Cells
from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_pomdp import fit_pomdp
from automix_graph.calibration.fit_thresholds import fit_thresholds
from automix_graph.calibration.fit_utility import Shape, fit_utility
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Expectation, MaxCost, PriceOfError
from automix_graph.evaluation.outcomes import confidence_of
from automix_graph.policies import Bins, ColumnPolicy, DoubleThreshold, OptimalStopping, PerTier, PomdpPolicy, Threshold

SIMPLE: Final = "threshold"
"""The family that every other one has to beat."""

_FINE: Final = Binning(most=100, least_rows=5)
_BANDS: Final = Binning(most=30, least_rows=5)
_WEIGHTS: Final = np.concatenate([[0.0], np.geomspace(1e-2, 1e2, 33)])
"""Weights of cost to try for several tiers, in multiples of what escalating at random exchanges."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """Rules over the same bins.

    Attributes:
        policies: at least one.
        bins: of the confidence of each tier but the last; each rule decides alike inside of them.
        nested: whether each rule escalates what the one before does, and more.
    """

    policies: tuple[ColumnPolicy, ...]
    bins: tuple[Bins, ...]
    nested: bool = False


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The rule of a family that was chosen for a target.

    Attributes:
        policy: the rule.
        met: whether it meets the target on the rows that it was fitted to.
    """

    policy: ColumnPolicy
    met: bool


Family = Callable[[QuestionRows, float | None], Proposal]
"""Takes rows, and lam where the target fixes it. It raises ConfigurationError where the rows are too few."""


def families_for(tiers: int) -> dict[str, Family]:
    """Return the families for so many tiers by name, the simple one first.

    Example:
        >>> list(families_for(3))
        ['threshold', 'per-tier', 'optimal-stopping', 'pomdp']
    """
    if tiers > 2:
        return {SIMPLE: _thresholds, "per-tier": _per_tier, "optimal-stopping": _optimal_stopping, "pomdp": _pomdp}
    return {
        SIMPLE: _thresholds,
        "double-threshold": _double_thresholds,
        "isotonic utility": lambda rows, lam: _utility(rows, lam, "isotonic"),
        "binned utility": lambda rows, lam: _utility(rows, lam, "binned"),
        "pomdp": _pomdp,
    }


def fit(family: Family, rows: QuestionRows, target: Expectation) -> Fitted:
    """Return the rule of a family that meets a target best on some rows, or comes nearest to it.

    Raises:
        ConfigurationError: there are too few rows.
    """
    proposal = family(rows, target.lam if isinstance(target, PriceOfError) else None)
    quality, cost = Cells.of(rows.outcomes, proposal.bins).measure(proposal.policies)
    if proposal.nested and isinstance(target, MaxCost):
        quality = concave(quality, cost)
    best = target.pick(quality, cost)
    return Fitted(policy=proposal.policies[best], met=target.met(float(quality[best]), float(cost[best])))


def concave(quality: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least concave curve on or above the quality of nested rules over their cost, shape (m,).

    What an escalation adds falls with confidence, as far as is known beforehand. So a dip in the quality of few rows is
    no reason to leave a budget unspent that further rows show to be well spent.

    Example:
        >>> concave(np.array([0.5, 0.48, 0.6]), np.array([1.0, 2.0, 3.0]))
        array([0.5 , 0.55, 0.6 ])
    """
    steps = np.diff(cost)
    further = np.concatenate([[True], steps > 0.0])
    if not further[1:].any():
        return quality
    reached, spent = quality[further], np.diff(cost[further])
    rate = monotone(np.diff(reached) / spent, spent, rising=False)
    raised = reached[0] + np.concatenate([[0.0], np.cumsum(rate * spent)])
    return np.asarray(raised[np.cumsum(further) - 1])


def escalation_rate(rows: QuestionRows) -> float:
    """Return what a unit of cost buys in quality where questions go from the first to the last tier at random."""
    outcomes = rows.outcomes
    gain = float(outcomes.large.quality.mean() - outcomes.small.quality.mean())
    cost = rows.costs[-1]
    return gain / cost if cost > 0.0 and gain > 0.0 else 0.0


def _thresholds(rows: QuestionRows, _lam: float | None) -> Proposal:
    edges = _edges(rows, _FINE)
    tiers = len(rows.outcomes.tiers)
    return Proposal(
        policies=tuple(map(Threshold, edges)),
        bins=tuple(Bins(tuple(edges[1:])) for _ in range(tiers - 1)),
        nested=tiers == 2,
    )


def _double_thresholds(rows: QuestionRows, _lam: float | None) -> Proposal:
    edges = _edges(rows, _BANDS)
    return Proposal(
        policies=(DoubleThreshold(0.0, 0.0), *(DoubleThreshold(low, high) for low, high in combinations(edges, 2))),
        bins=(Bins(tuple(edges[1:])),),
    )


def _edges(rows: QuestionRows, binning: Binning) -> list[float]:
    """Return the thresholds to try, increasing, from 0, which keeps all, to 1, which keeps a confidence of 1 only."""
    tiers, judged = rows.outcomes.tiers, rows.with_judgement
    # With more tiers there are as many cells as combinations, which rows must still fill.
    most = max(10, int(binning.most / (len(tiers) - 1)))
    weights = question_weights(judged.groups, judged.n)
    found = [
        quantile_bins(confidence_of(tier), most=most, least_rows=binning.least_rows, weights=weights).edges
        for tier in judged.outcomes.tiers[:-1]
    ]
    return sorted({0.0, 1.0, *(edge for edges in found for edge in edges)})


def _utility(rows: QuestionRows, lam: float | None, shape: Shape) -> Proposal:
    judged = rows.with_judgement
    small, large = judged.outcomes.tiers
    fitted = fit_utility(
        confidence_of(small),
        small=small.quality,
        large=large.quality,
        cost=large.cost,
        lam=lam or 0.0,
        shape=shape,
        binning=_coarse(judged),
        groups=judged.groups,
    )
    weights = _weights_between(np.array(fitted.gain.values), fitted.cost) if lam is None else [lam]
    return Proposal(
        policies=tuple(dataclasses.replace(fitted, lam=weight) for weight in weights), bins=(fitted.gain.bins,)
    )


def _pomdp(rows: QuestionRows, lam: float | None) -> Proposal:
    judged = rows.with_judgement
    binning = _coarse(judged) if len(judged.costs) == 2 else Binning()
    fitted = fit_pomdp(*_columns(judged), costs=judged.costs, lam=lam or 0.0, binning=binning, groups=judged.groups)
    return _weighed(fitted, judged, lam)


def _optimal_stopping(rows: QuestionRows, lam: float | None) -> Proposal:
    judged = rows.with_judgement
    fitted = fit_optimal_stopping(
        *_columns(judged), costs=judged.costs, lam=lam or 0.0, binning=_coarse(judged), groups=judged.groups
    )
    return _weighed(fitted, judged, lam)


def _coarse(rows: QuestionRows) -> Binning:
    """Return a binning that grows finer with the rows: means of few need wide bins, and budgets of many narrow ones."""
    return Binning(most=int(np.clip(np.sqrt(rows.questions) / 3.0, 10, 30)))


def _columns(rows: QuestionRows) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    tiers = rows.outcomes.tiers
    return [confidence_of(tier) for tier in tiers[:-1]], [tier.quality for tier in tiers]


def _weighed(fitted: PomdpPolicy | OptimalStopping, rows: QuestionRows, lam: float | None) -> Proposal:
    """Return what other weights of cost make of a table."""
    if lam is not None:
        weights: Sequence[float] = [lam]
    elif len(fitted.costs) == 2:
        quality = fitted.joint().quality
        weights = _weights_between(quality[1] - quality[0], fitted.costs[1])
    else:
        weights = (_WEIGHTS * escalation_rate(rows)).tolist()
    return Proposal(policies=tuple(dataclasses.replace(fitted, lam=weight) for weight in weights), bins=fitted.bins)


def _weights_between(gains: NDArray[np.float64], cost: float) -> list[float]:
    """Return weights of cost that part each two gains, from the one that escalates all that gains anything."""
    above = np.unique(gains[gains > 0.0])
    if cost <= 0.0 or not above.size:
        return [0.0]
    between = (above[:-1] + above[1:]) / 2.0
    return [0.0, *(between / cost).tolist(), float(above[-1]) / cost]


def _per_tier(rows: QuestionRows, lam: float | None) -> Proposal:
    """Propose thresholds of each tier against the next: the gain is what the next one adds."""
    judged = rows.with_judgement
    weights = (_WEIGHTS * escalation_rate(judged)).tolist() if lam is None else [lam]
    tiers, costs = judged.outcomes.tiers, judged.costs
    by_tier = [
        fit_thresholds(
            confidence_of(tier),
            small=tier.quality,
            large=following.quality,
            cost=costs[position + 1],
            lams=weights,
            binning=_BANDS,
            groups=judged.groups,
        )
        for position, (tier, following) in enumerate(pairwise(tiers))
    ]
    chosen = list(dict.fromkeys(map(PerTier, zip(*by_tier, strict=True))))
    return Proposal(policies=tuple(chosen), bins=_bins_of(chosen, len(tiers) - 1))


def _bins_of(policies: Sequence[PerTier], judged: int) -> tuple[Bins, ...]:
    """Return bins that no threshold of a tier divides."""
    used = [
        {one.minimum for policy in policies if isinstance(one := policy.policies[tier], Threshold)} - {0.0}
        for tier in range(judged)
    ]
    return tuple(Bins(tuple(sorted(edges))) for edges in used)
