"""Fit one threshold, or a band of two, to what escalating was worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import (
    Binning,
    Groups,
    quantile_bins,
    question_weights,
    require_rows,
    weighted_counts,
)
from automix_graph.calibration.gains import Gains, require_charges
from automix_graph.policies import Bins, DoubleThreshold, Threshold

_FINE: Final = Binning(most=100, least_rows=5, pseudo_rows=0.0)
"""One number, or two, are found among many: there is little to smooth."""


def fit_threshold(
    confidence: ArrayLike,
    *,
    small: ArrayLike,
    large: ArrayLike,
    cost: ArrayLike,
    lam: float,
    binning: Binning = _FINE,
    groups: Groups | None = None,
) -> Threshold:
    """Return the threshold with the largest mean of quality - lam * cost in these rows.

    Of equally good ones the lowest, which escalates the fewest.

    Args:
        confidence: shape (n,), in [0, 1].
        small: quality of the small answers, shape (n,), in [0, 1].
        large: quality of the large answers, shape (n,), in [0, 1].
        cost: of escalating, shape (n,) or one number for all, at least 0.
        lam: what a unit of cost is worth in quality, at least 0.
        binning: which thresholds are tried: the edges of so many bins. Nothing is smoothed.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, a number is out of range,
            or there are too few rows.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> fit_threshold(confidence, small=small, large=[1] * 100, cost=20, lam=0.01)
        Threshold(minimum=0.5)
    """
    return fit_thresholds(confidence, small=small, large=large, cost=cost, lams=[lam], binning=binning, groups=groups)[
        0
    ]


def fit_thresholds(
    confidence: ArrayLike,
    *,
    small: ArrayLike,
    large: ArrayLike,
    cost: ArrayLike,
    lams: Sequence[float],
    binning: Binning = _FINE,
    groups: Groups | None = None,
) -> list[Threshold]:
    """Return what `fit_threshold` returns for each of several worths of a unit of cost.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> fit_thresholds(confidence, small=small, large=[1] * 100, cost=20, lams=[0.01, 1.0])
        [Threshold(minimum=0.5), Threshold(minimum=0.0)]
    """
    gains = Gains.of(confidence, small=small, large=large, cost=cost, lam=0.0)
    for lam in lams:
        require_charges(gains.cost, lam)
    thresholds, gained, spent = _below(gains, binning, groups)
    return [Threshold(float(thresholds[int(np.argmax(gained - lam * spent))])) for lam in lams]


def fit_double_threshold(
    confidence: ArrayLike,
    *,
    small: ArrayLike,
    large: ArrayLike,
    cost: ArrayLike,
    lam: float,
    binning: Binning = _FINE,
    groups: Groups | None = None,
) -> DoubleThreshold:
    """Return the band with the largest mean of quality - lam * cost in these rows.

    The arguments, and the errors, are those of `fit_threshold`.

    Example:
        >>> confidence, small = [0.1] * 50 + [0.5] * 50 + [0.9] * 50, [0] * 100 + [1] * 50
        >>> large = [0] * 50 + [1] * 100
        >>> fit_double_threshold(confidence, small=small, large=large, cost=20, lam=0.01)
        DoubleThreshold(low=0.3, high=0.7)
    """
    gains = Gains.of(confidence, small=small, large=large, cost=cost, lam=lam)
    thresholds, gained, spent = _below(gains, binning, groups)
    worth = gained - lam * spent
    # The lowest worth before each threshold is where the best band that ends there begins.
    ahead = np.minimum.accumulate(worth)
    end = int(np.argmax(worth - ahead))
    begin = end - int(np.argmin(worth[end::-1]))
    return DoubleThreshold(float(thresholds[begin]), float(thresholds[end]))


def _below(
    gains: Gains, binning: Binning, groups: Groups | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the thresholds to try, from 0 to 1, and what escalating all below each gains and costs in sum."""
    weights = question_weights(groups, gains.confidence.size)
    require_rows(weights, binning)
    bins = quantile_bins(gains.confidence, most=binning.most, least_rows=binning.least_rows, weights=weights)
    # The last threshold keeps a confidence of 1 only, which is as near as a threshold comes to keeping nothing.
    thresholds = np.union1d([0.0, 1.0], bins.edges)
    place = Bins(tuple(thresholds[1:].tolist())).indices(gains.confidence)
    gained, spent = (
        np.concatenate([[0.0], np.cumsum(weighted_counts(place, weights * column, thresholds.size)[:-1])])
        for column in (gains.large - gains.small, gains.cost)
    )
    return thresholds, gained, spent
