"""How many answers each threshold keeps, and what they lose.

It sorts nothing but the thresholds: each row falls between two of them, and sums over those intervals give all rules at
once, with answers of equal confidence always on the same side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, same_length


@dataclass(frozen=True, kw_only=True, eq=False)
class Tally:
    """What threshold rules do to some rows, strictest rule first.

    Attributes:
        thresholds: shape (m,), strictly decreasing; a rule keeps the answers of at least this confidence.
        kept: how many answers each rule keeps, shape (m,), non-decreasing.
        loss: the sum of their losses, shape (m,), non-decreasing.
        n: all rows, whether judged or not.
    """

    thresholds: NDArray[np.float64]
    kept: NDArray[np.int64]
    loss: NDArray[np.float64]
    n: int


def tally(confidence: ArrayLike, loss: ArrayLike, thresholds: ArrayLike) -> Tally:
    """Count what every threshold keeps and add up what it loses.

    Args:
        confidence: shape (n,), in [0, 1], and NaN where the verification failed: such an answer is never kept.
        loss: what keeping the answer loses, shape (n,), in [0, 1].
        thresholds: shape (m,), in [0, 1], in any order; of equal ones, one is taken.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, or confidence and loss differ in length.

    Example:
        >>> tally([0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1], [0.5, 0.8]).kept
        array([1, 3])
    """
    given, lost = confidence_column(confidence), fractions("loss", loss)
    n = same_length({"confidence": given, "loss": lost})
    increasing = np.unique(fractions("thresholds", thresholds))
    judged = ~np.isnan(given)
    # The number of thresholds that a row reaches; those that reach none are kept by no rule.
    reached = np.searchsorted(increasing, given[judged], side="right")
    kept = np.bincount(reached, minlength=increasing.size + 1)
    losses = np.bincount(reached, weights=lost[judged], minlength=increasing.size + 1)
    return Tally(thresholds=increasing[::-1], kept=np.cumsum(kept[:0:-1]), loss=np.cumsum(losses[:0:-1]), n=n)


def confidence_column(confidence: ArrayLike) -> NDArray[np.float64]:
    """Return confidences as a column, shape (n,), in [0, 1] or NaN.

    Raises:
        ConfigurationError: the column is empty, or holds what it may not.
    """
    array = np.asarray(confidence)
    failed = np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=np.bool_)
    column = fractions("confidence", np.where(failed, 0.0, array) if failed.any() else array)
    column[failed] = np.nan
    return column
