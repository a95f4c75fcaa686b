"""Means of cells drawn towards what is expected of them, unless they scatter by more than chance.

This is the credibility of Bühlmann and Straub (Astin Bulletin 5, 1970). A cell of n rows has the mean y; the rows of a
cell vary by s^2, and the true means of cells vary by t^2 about what is expected of them. Then the best linear estimate
of the true mean draws y towards the expectation as if that were a mean of K = s^2 / t^2 rows. Both variances are
estimated from all cells. Where these lie no farther from what is expected than chance alone would put them, t^2 is 0,
and nothing but the expectation is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class CellSums:
    """Sums over the rows of cells, in any shape.

    Attributes:
        rows: their weights, at least 0.
        total: weight times value.
        squares: weight times value squared.
    """

    rows: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        values: NDArray[np.float64],
        place: NDArray[np.intp],
        weights: NDArray[np.float64],
        shape: int | tuple[int, ...],
    ) -> Self:
        """Sum up rows.

        Args:
            values: shape (n,).
            place: the cell of each row, as a position in the flattened cells, shape (n,).
            weights: of the rows, shape (n,).
            shape: of the cells.
        """

        def summed(column: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(place, weights=column, minlength=int(np.prod(shape))).astype(np.float64).reshape(shape)

        return cls(rows=summed(weights), total=summed(weights * values), squares=summed(weights * values * values))

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean of each cell; 0 where it is empty."""
        return np.divide(self.total, self.rows, out=np.zeros_like(self.total), where=self.rows > 0.0)


def drawn_towards(
    expected: NDArray[np.float64], cells: CellSums, *, parameters: int, pseudo_rows: float
) -> NDArray[np.float64]:
    """Return the means of cells, drawn towards what is expected of them; an empty cell gets the expectation.

    Args:
        expected: of each cell, in a shape that broadcasts to theirs.
        cells: what the rows show.
        parameters: how many numbers of ``expected`` were fitted to these rows, which are the nearer to it for that.
        pseudo_rows: the least that the expectation counts as, in rows.

    Example:
        >>> cells = CellSums(rows=np.array([100.0, 100]), total=np.array([40.0, 60]), squares=np.array([40.0, 60]))
        >>> drawn_towards(np.array([0.5]), cells, parameters=1, pseudo_rows=25).round(3)
        array([0.422, 0.578])
        >>> drawn_towards(np.array([0.4, 0.6]), cells, parameters=2, pseudo_rows=25)
        array([0.4, 0.6])
    """
    filled, means = cells.rows > 0.0, cells.means
    n, count = float(cells.rows.sum()), int(np.count_nonzero(filled))
    within = float(np.maximum(cells.squares - cells.rows * means**2, 0.0).sum()) / max(n - count, 1.0)
    scatter = float((cells.rows * np.where(filled, means - expected, 0.0) ** 2).sum())
    between = (scatter - max(count - parameters, 0) * within) / n
    if between <= 0.0:
        return np.broadcast_to(expected, means.shape).copy()
    weight = max(pseudo_rows, within / between)
    believed = np.divide(cells.rows, cells.rows + weight, out=np.zeros_like(means), where=filled)
    drawn: NDArray[np.float64] = expected + believed * (means - expected)
    return drawn
