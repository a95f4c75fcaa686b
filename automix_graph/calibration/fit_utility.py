"""Fit a `UtilityPolicy`: what the large answer is expected to add, by confidence."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import (
    Binning,
    Groups,
    monotone,
    quantile_bins,
    question_weights,
    require_rows,
    smoothed_means,
)
from automix_graph.calibration.credibility import CellSums
from automix_graph.calibration.gains import Gains
from automix_graph.errors import ConfigurationError
from automix_graph.policies import Bins, StepCurve, UtilityPolicy

Shape = Literal["binned", "isotonic"]
"""Of the curve of gains: one mean a bin, or the non-increasing curve nearest to these."""

_DEFAULT: Final = Binning()


def fit_utility(
    confidence: ArrayLike,
    *,
    small: ArrayLike,
    large: ArrayLike,
    cost: ArrayLike,
    lam: float,
    shape: Shape = "binned",
    binning: Binning = _DEFAULT,
    abstain_below: float | None = None,
    groups: Groups | None = None,
) -> UtilityPolicy:
    """Return the policy that escalates where the gain to be expected is above lam times the mean cost.

    The gain of a bin is the mean of large - small over its rows, drawn towards the nearest curve that does not rise
    with confidence (weighted least squares, by pooling adjacent violators): until rows say otherwise, confidence is
    thought to tell what it should, or nothing. ``isotonic`` takes that curve itself; it is steadier on few rows, and
    blind to a value that sits in the middle of the scale.

    Args:
        confidence: shape (n,), in [0, 1].
        small: quality of the small answers, shape (n,), in [0, 1].
        large: quality of the large answers, shape (n,), in [0, 1].
        cost: of escalating, shape (n,) or one number for all, at least 0.
        lam: what a unit of cost is worth in quality, at least 0. For another one, `dataclasses.replace` it: the curve
            stays.
        shape: of the curve.
        binning: how finely confidence is divided, and how far few rows are believed.
        abstain_below: give a question up where the better answer is expected to be worse than this; None: never.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, a number is out of range,
            or there are too few rows.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> policy = fit_utility(confidence, small=small, large=[1] * 100, cost=20, lam=0.01)
        >>> policy.keeps, policy.gain.values
        ('confidence in [0.5, 1]', (1.0, 0.0))
    """
    gains = Gains.of(confidence, small=small, large=large, cost=cost, lam=lam)
    weights = question_weights(groups, gains.confidence.size)
    require_rows(weights, binning)
    bins = quantile_bins(gains.confidence, most=binning.most, least_rows=binning.least_rows, weights=weights)
    place = bins.indices(gains.confidence)

    if shape not in ("binned", "isotonic"):
        raise ConfigurationError(f"shape is {shape!r}; use 'binned' or 'isotonic'")
    gained = gains.large - gains.small
    if shape == "isotonic":
        cells = CellSums.of(gained, place, weights, bins.count)
        gain = monotone(cells.means, cells.rows, rising=False)
    else:
        gain = smoothed_means(gained, place, weights, pseudo_rows=binning.pseudo_rows, rising=False)
    ours = smoothed_means(gains.small, place, weights, pseudo_rows=binning.pseudo_rows, rising=True)
    return UtilityPolicy(
        gain=_joined(bins, gain),
        lam=lam,
        cost=float(np.average(gains.cost, weights=weights)),
        best=None if abstain_below is None else _joined(bins, np.clip(ours + np.maximum(gain, 0.0), 0.0, 1.0)),
        abstain_below=abstain_below,
    )


def _joined(bins: Bins, values: NDArray[np.float64]) -> StepCurve:
    """Return a curve whose neighbours of equal value are one bin."""
    first = np.flatnonzero(np.diff(values, prepend=np.inf))
    edges = tuple(bins.edges[int(begin) - 1] for begin in first[1:])
    return StepCurve(bins=Bins(edges), values=tuple(values[first].tolist()))
