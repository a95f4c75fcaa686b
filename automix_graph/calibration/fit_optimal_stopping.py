"""Fit an `OptimalStopping` policy: how often confidences occur together, and what the answers are then worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import Binning, Groups, smoothed_means, weighted_counts
from automix_graph.calibration.tier_table import TierTable, tier_table
from automix_graph.policies import OptimalStopping

_DEFAULT: Final = Binning()


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

    With m confidences, each has at most the m-th root of (questions / least_rows) bins, so that a combination has
    ``least_rows`` questions on average. What a tier is worth in a combination is drawn towards what it is worth where
    the first confidence is left out, that towards what it is worth without the first two, and so on; what it is worth
    by the last confidence alone is drawn towards the nearest monotone curve, as in `fit_utility`, with ``pseudo_rows``
    rows each time. The last tier goes by what it adds to the one before. How often a combination occurs is drawn
    towards what independent confidences would show, with ``pseudo_rows`` rows in all. For two tiers this is what
    `fit_utility` does.

    Args:
        confidences: of the verification of each tier but the last, shape (n,) each, in [0, 1].
        qualities: of the answers of each tier, cheapest first, shape (n,) each, in [0, 1].
        costs: of asking each tier, its verification included, at least 0.
        lam: what a unit of cost is worth in quality, at least 0.
        binning: how finely confidence is divided, and how far few rows are believed.
        abstain_below: give a question up where no tier is expected to reach this; None: never.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.

    Raises:
        ValueError: a column is empty or holds what it may not, they differ in length or number, a number is out of
            range, or there are too few rows; or nothing smooths a combination that no row shows.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> fit_optimal_stopping([confidence], [small, [1] * 100], costs=[1, 20], lam=0.01).table
        ([1, 0],)
    """
    table = tier_table(
        confidences, qualities, costs=costs, lam=lam, binning=binning, groups=groups, per_combination=True
    )
    mass = _mass(table, binning.pseudo_rows)
    if (mass <= 0.0).any():
        raise ValueError(
            f"{int((mass <= 0.0).sum())} of {mass.size} combinations of bins have no rows, and pseudo_rows is 0; use "
            "pseudo_rows above 0, or fewer bins"
        )
    return OptimalStopping(
        bins=table.bins,
        mass=tuple(mass.ravel().tolist()),
        quality=tuple(
            tuple(np.clip(cells, 0.0, 1.0).ravel().tolist()) for cells in _qualities(table, binning.pseudo_rows)
        ),
        costs=table.costs,
        lam=lam,
        abstain_below=abstain_below,
    )


def _sums(table: TierTable, values: NDArray[np.float64], begin: int) -> NDArray[np.float64]:
    """Return the sums of a column over the combinations of bins from one tier on; its shape is theirs."""
    shape = table.shape[begin:]
    place = np.ravel_multi_index(table.places[begin:], shape)
    return weighted_counts(place, values, math.prod(shape)).reshape(shape)


def _mass(table: TierTable, pseudo_rows: float) -> NDArray[np.float64]:
    counts = _sums(table, table.weights, 0)
    total = float(counts.sum())
    independent = np.ones(())
    for axis in range(counts.ndim):
        others = tuple(other for other in range(counts.ndim) if other != axis)
        independent = np.multiply.outer(independent, counts.sum(axis=others) / total)
    mass: NDArray[np.float64] = (counts + pseudo_rows * independent) / (total + pseudo_rows)
    return mass


def _qualities(table: TierTable, pseudo_rows: float) -> list[NDArray[np.float64]]:
    """Return what each tier is worth in each combination of bins, the last tier by what it adds to the one before."""
    *before, last, large = table.quality
    found = [_smoothed(table, column, pseudo_rows, rising=True) for column in (*before, last)]
    return [*found, found[-1] + _smoothed(table, large - last, pseudo_rows, rising=False)]


def _smoothed(
    table: TierTable, column: NDArray[np.float64], pseudo_rows: float, *, rising: bool
) -> NDArray[np.float64]:
    found = smoothed_means(column, table.places[-1], table.weights, pseudo_rows=pseudo_rows, rising=rising)
    for begin in reversed(range(len(table.bins) - 1)):
        sums = _sums(table, table.weights * column, begin)
        rows = _sums(table, table.weights, begin)
        found = (sums + pseudo_rows * found) / (rows + pseudo_rows)
    return found
