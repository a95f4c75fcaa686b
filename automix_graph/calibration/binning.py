"""Bins that records can fill, and means over them that a few rows do not carry away."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.credibility import CellSums, drawn_towards
from automix_graph.columns import fractions, group_codes, numbers, same_length
from automix_graph.errors import ConfigurationError
from automix_graph.policies import Bins

Groups = Sequence[Hashable] | NDArray[Any]
"""Names the question of each row."""


@dataclass(frozen=True, kw_only=True)
class Binning:
    """How finely a confidence is divided, and how far the rows of a bin are believed.

    Attributes:
        most: bins of one confidence at most, at least 1.
        least_rows: in each bin, at least 1; what falls short joins a neighbour.
        pseudo_rows: how many rows a smoother estimate counts as at the least beside those of a bin, at least 0: a bin
            of as many rows is believed by half, or by less where bins scatter no more than chance makes them.

    Raises:
        ConfigurationError: a number is out of range.

    Example:
        >>> Binning(most=5).least_rows
        20
    """

    most: int = 10
    least_rows: int = 20
    pseudo_rows: float = 30.0

    def __post_init__(self) -> None:
        if self.most < 1 or self.least_rows < 1 or not 0.0 <= self.pseudo_rows < np.inf:
            raise ConfigurationError(
                f"{self!r} is no binning; use most >= 1, least_rows >= 1 and a finite pseudo_rows >= 0"
            )


def quantile_bins(confidence: ArrayLike, *, most: int, least_rows: int, weights: ArrayLike | None = None) -> Bins:
    """Divide the scale so that bins hold about equally many rows, and rows of equal confidence are never parted.

    Where no more values than ``most`` occur, as with votes, each has a bin of its own, if it has the rows. Edges lie
    halfway between two values that occur.

    Args:
        confidence: shape (n,), in [0, 1].
        most: bins at most.
        least_rows: in each bin.
        weights: of the rows, shape (n,), above 0; None: each counts as one.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, or they differ in length.

    Example:
        >>> quantile_bins([0.1, 0.2, 0.3, 0.5, 0.9, 0.9], most=3, least_rows=2).edges
        (0.25, 0.7)
        >>> quantile_bins([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], most=3, least_rows=2).edges
        (0.5,)
    """
    column = fractions("confidence", confidence)
    heavy = np.ones(column.size) if weights is None else numbers("weights", weights)
    same_length({"confidence": column, "weights": heavy})
    values, place = np.unique(column, return_inverse=True)
    upto = np.cumsum(weighted_counts(place, heavy, values.size))
    most = max(1, min(most, int(upto[-1] // least_rows)))
    ends = _ends(upto, most, least_rows, separate=values.size <= most)
    below, above = values[ends], values[ends + 1]
    middle = (below + above) / 2.0
    return Bins(tuple(np.where(middle > below, middle, above).tolist()))


def _ends(upto: NDArray[np.float64], most: int, least_rows: int, *, separate: bool) -> NDArray[np.intp]:
    """Return the positions of the last value of each bin but the last.

    What is left is shared evenly among the bins that are left, so that a value that fills several bins by itself costs
    the rest of the scale none.
    """
    found: list[int] = []
    total, start = float(upto[-1]), 0.0
    while len(found) < most - 1:
        share = least_rows if separate else max((total - start) / (most - len(found)), least_rows)
        end = int(np.searchsorted(upto, start + share - 1e-9))
        before = float(upto[end - 1]) - start if end else 0.0
        if before >= least_rows and share - before < float(upto[min(end, upto.size - 1)]) - start - share:
            end -= 1
        if end >= upto.size or total - upto[end] < least_rows:
            break
        found.append(end)
        start = float(upto[end])
    return np.array(found, dtype=np.intp)


def question_weights(groups: Groups | None, n: int) -> NDArray[np.float64]:
    """Return what each row counts, shape (n,): the rows of one question count as one together.

    Args:
        groups: shape (n,), the question of each row; None: each row is a question of its own.
        n: how many rows there are.

    Raises:
        ConfigurationError: there is not one group a row.

    Example:
        >>> question_weights(["q1", "q1", "q2"], 3)
        array([0.5, 0.5, 1. ])
    """
    if groups is None:
        return np.ones(n)
    codes = group_codes(groups)
    same_length({"confidence": np.empty(n), "groups": codes})
    weights: NDArray[np.float64] = 1.0 / np.bincount(codes)[codes]
    return weights


def require_rows(weights: NDArray[np.float64], binning: Binning) -> None:
    """Refuse rows that do not fill two bins.

    Raises:
        ConfigurationError: there are too few.
    """
    questions, needed = float(weights.sum()), 2 * binning.least_rows
    if questions < needed - 1e-6:
        raise ConfigurationError(
            f"there are {questions:.0f} questions, and two bins of {binning.least_rows} take {needed}; give more, or "
            "lower least_rows and take the result for what it is"
        )


def weighted_counts(place: NDArray[np.intp], weights: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the sum of the weights in each bin, shape (count,).

    Args:
        place: the bin of each row, shape (n,).
        weights: of the rows, shape (n,).
        count: how many bins there are.
    """
    return np.bincount(place, weights=weights, minlength=count).astype(np.float64)


def smoothed_means(
    values: NDArray[np.float64],
    place: NDArray[np.intp],
    weights: NDArray[np.float64],
    *,
    pseudo_rows: float,
    rising: bool,
) -> NDArray[np.float64]:
    """Return the mean of each bin, drawn towards the nearest monotone curve; shape (bins,).

    The monotone curve nearest to all means is what confidence is thought to tell until rows say otherwise; how far they
    do is a matter of `credibility`.

    Args:
        values: shape (n,).
        place: the bin of each, shape (n,); none is empty.
        weights: of the rows, shape (n,).
        pseudo_rows: how many rows the curve counts as at the least.
        rising: whether the curve rises with confidence, as quality does; otherwise it falls, as gains do.
    """
    cells = CellSums.of(values, place, weights, int(place.max()) + 1)
    curve = monotone(cells.means, cells.rows, rising=rising)
    # A monotone curve has as many degrees of freedom as levels (Meyer and Woodroofe, Annals of Statistics 28, 2000).
    return drawn_towards(curve, cells, parameters=np.unique(curve).size, pseudo_rows=pseudo_rows)


def monotone(means: NDArray[np.float64], rows: NDArray[np.float64], *, rising: bool) -> NDArray[np.float64]:
    """Return the monotone curve nearest to some means by weighted least squares, shape (bins,).

    Example:
        >>> monotone(np.array([0.5, 0.6, 0.1]), np.array([30.0, 10.0, 20.0]), rising=False)
        array([0.525, 0.525, 0.1  ])
    """
    from scipy.optimize import isotonic_regression  # slow to import, and only fitting needs it

    return np.asarray(isotonic_regression(means, weights=rows, increasing=rising).x, dtype=np.float64)
