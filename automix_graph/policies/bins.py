"""Bins of the confidence scale, and functions that are constant in each of them.

A confidence is compared with the edges as they are, never multiplied and rounded down: 3/10 lies in the bin that begins
at 3/10 however many bins there are, which ``floor(0.3 * bins)`` does not promise.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Bins:
    """A division of [0, 1]. A bin holds its lower end; the last one also holds 1.

    Attributes:
        edges: where one bin ends and the next begins, strictly increasing, above 0 and at most 1; empty for one bin.

    Raises:
        ConfigurationError: the edges are no such numbers.

    Example:
        >>> Bins((0.25, 0.75)).index(0.25)
        1
    """

    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(float(edge) for edge in self.edges))
        ends = (0.0, *self.edges)
        if not all(low < high <= 1.0 for low, high in zip(ends, self.edges, strict=False)):
            raise ConfigurationError(
                f"the edges of bins are {list(self.edges)!r}; use strictly increasing numbers above 0 and at most 1"
            )

    @classmethod
    def equal(cls, count: int) -> Bins:
        """Return bins of equal width: bin k begins at k / count.

        Raises:
            ConfigurationError: the count is below 1.

        Example:
            >>> [Bins.equal(10).index(k / 10) for k in range(11)]
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
        """
        if count < 1:
            raise ConfigurationError(f"the number of bins is {count!r}; use at least 1")
        return cls(tuple(k / count for k in range(1, count)))

    @property
    def count(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1

    def index(self, confidence: float) -> int:
        """Return the bin of a confidence, from 0 for the lowest."""
        return bisect_right(self.edges, confidence)

    def indices(self, confidence: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the bin of each confidence, shape (n,); ``count`` where there is none (NaN)."""
        import numpy as np

        found = np.searchsorted(np.asarray(self.edges), confidence, side="right")
        return np.where(np.isnan(confidence), self.count, found)

    def label(self, index: int) -> str:
        """Return a bin as an interval.

        Example:
            >>> Bins((0.25,)).label(1)
            '[0.25, 1]'
        """
        return self._interval(index, index)

    def describe(self, chosen: Sequence[bool]) -> str:
        """Return some of the bins as intervals, neighbours joined, for reports.

        Args:
            chosen: for each bin whether it is meant.

        Example:
            >>> Bins((0.25, 0.5, 0.75)).describe([True, False, True, True])
            'confidence in [0, 0.25) or [0.5, 1]'
        """
        if all(chosen):
            return "everything"
        starts = [k for k in range(self.count) if chosen[k] and (k == 0 or not chosen[k - 1])]
        stops = [k for k in range(self.count) if chosen[k] and (k == self.count - 1 or not chosen[k + 1])]
        intervals = [self._interval(start, stop) for start, stop in zip(starts, stops, strict=True)]
        return f"confidence in {' or '.join(intervals)}" if intervals else "nothing"

    def _interval(self, first: int, last: int) -> str:
        low = self.edges[first - 1] if first else 0.0
        return f"[{low:.4g}, {self.edges[last]:.4g})" if last < self.count - 1 else f"[{low:.4g}, 1]"


@dataclass(frozen=True, kw_only=True)
class StepCurve:
    """A function of confidence that is constant in each bin; it need not be monotone.

    Attributes:
        bins: of the confidence.
        values: one for each bin.

    Raises:
        ConfigurationError: there is not one number for each bin.

    Example:
        >>> StepCurve(bins=Bins((0.5,)), values=(0.3, -0.1)).at(0.5)
        -0.1
    """

    bins: Bins
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        if len(self.values) != self.bins.count or any(abs(value) == float("inf") for value in self.values):
            raise ConfigurationError(
                f"a curve over {self.bins.count} bins has the values {list(self.values)!r}; give one number a bin"
            )
        if any(value != value for value in self.values):  # noqa: PLR0124 - NaN alone differs from itself
            raise ConfigurationError(f"a curve has the values {list(self.values)!r}; NaN is no value")

    def at(self, confidence: float) -> float:
        """Return the value at a confidence."""
        return self.values[self.bins.index(confidence)]
