"""Fit an `OptimalStopping` policy: how often confidences occur together, and what the answers are then worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import Binning, Groups, smoothed_means
from automix_graph.calibration.credibility import CellSums, drawn_towards
from automix_graph.calibration.tier_table import TierTable, tier_table
from automix_graph.policies import OptimalStopping

_DEFAULT: Final = Binning()
_MOST_COMBINATIONS: Final = 3_000
"""Fourteen bins a confidence with four tiers, seven with five; a larger table makes a large policy file."""


def fit_optimal_stopping(
    confidences: Sequence[ArrayLike],
    qualities: Sequence[ArrayLike],
    *,
    costs: Sequence[float],
    lam: float,
    binning: Binning = _DEFAULT,
    abstain_below: float | None = None,
    groups: Groups | None = None,
) -> OptimalStopping:
    """Return the policy for the joint table of confidences and qualities that these rows show.

    A table of several confidences has more combinations of bins than rows to fill them, so every estimate begins with
    what is known best, and goes into detail as far as the rows bear it out:

    - The answers of a tier are worth what they are worth by the tier's own confidence, as in `fit_utility`: the mean of
      each bin, drawn towards the nearest monotone curve. The means by that and the confidence before are drawn towards
      these, and so on back to the first. Later confidences do not count: whenever a draft can be kept, they are not
      known yet. How far means are drawn is worked out from how they scatter (`credibility`), ``pseudo_rows`` rows being
      the least.
    - The last tier, which has no confidence, goes by what it adds to the one before.
    - How often a confidence follows those before it is counted, with Laplace's one row a bin spread as it follows them
      without the first, that as without the first two, and so on.

    For two tiers this is what `fit_utility` does.

    Args:
        confidences: of the verification of each tier but the last, shape (n,) each, in [0, 1].
        qualities: of the answers of each tier, cheapest first, shape (n,) each, in [0, 1].
        costs: of asking each tier, its verification included, at least 0.
        lam: what a unit of cost is worth in quality, at least 0.
        binning: how finely confidence is divided, and how far few rows are believed.
        abstain_below: give a question up where no tier is expected to reach this; None: never.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length or number, a number is out
            of range, or there are too few rows.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> fit_optimal_stopping([confidence], [small, [1] * 100], costs=[1, 20], lam=0.01).table
        ([1, 0],)
    """
    table = tier_table(
        confidences,
        qualities,
        costs=costs,
        lam=lam,
        binning=binning,
        groups=groups,
        most_combinations=_MOST_COMBINATIONS,
    )
    return OptimalStopping(
        bins=table.bins,
        mass=tuple(_mass(table).ravel().tolist()),
        quality=tuple(
            tuple(np.broadcast_to(np.clip(cells, 0.0, 1.0), table.shape).ravel().tolist())
            for cells in _qualities(table, binning.pseudo_rows)
        ),
        costs=table.costs,
        lam=lam,
        abstain_below=abstain_below,
    )


def _mass(table: TierTable) -> NDArray[np.float64]:
    """Return the probability of each combination of bins, the product of those of each bin given the ones before."""
    found = np.ones(())
    for tier, bins in enumerate(table.bins):
        chance = _sums(table, table.weights, tier, tier).rows / float(table.weights.sum())
        for begin in reversed(range(tier)):
            counts = _sums(table, table.weights, begin, tier).rows
            chance = (counts + bins.count * chance) / (counts.sum(axis=tier, keepdims=True) + bins.count)
        found = found * chance
    return found


def _qualities(table: TierTable, pseudo_rows: float) -> list[NDArray[np.float64]]:
    """Return what each tier is worth by the bins of its confidence and those before, the last one as its draft's."""
    *drafts, large = table.quality
    found = [_estimated(table, column, tier, pseudo_rows, rising=True) for tier, column in enumerate(drafts)]
    last = len(drafts) - 1
    return [*found, found[last] + _estimated(table, large - drafts[last], last, pseudo_rows, rising=False)]


def _estimated(
    table: TierTable, column: NDArray[np.float64], tier: int, pseudo_rows: float, *, rising: bool
) -> NDArray[np.float64]:
    """Return the mean of a column by the bins of a tier's confidence and those before it.

    The axes of later tiers have length 1.
    """
    curve = smoothed_means(column, table.places[tier], table.weights, pseudo_rows=pseudo_rows, rising=rising)
    found = curve.reshape(_sums(table, column, tier, tier).rows.shape)
    for begin in reversed(range(tier)):
        found = drawn_towards(found, _sums(table, column, begin, tier), parameters=found.size, pseudo_rows=pseudo_rows)
    return found


def _sums(table: TierTable, values: NDArray[np.float64], first: int, last: int) -> CellSums:
    """Return sums over the combinations of the bins of some tiers; the axes of the others have length 1."""
    shape = table.shape[first : last + 1]
    place = np.ravel_multi_index(table.places[first : last + 1], shape)
    return CellSums.of(values, place, table.weights, (1,) * first + shape + (1,) * (len(table.bins) - last - 1))
