"""The vectors of a store: those it was opened with, those added since, and an approximate index over the former.

Whatever finds a passage, its score comes from its own vector. It knows no text and no lock: nobody may search while it
is changed, and the caller sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from automix_graph.errors import StoreError
from automix_graph.retrieval.approximate import ApproximateIndex
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers, score
from automix_graph.retrieval.rows import (
    NOTHING,
    GrowingRows,
    PublishedRows,
    Rows,
    alive,
    nearest,
    nearest_of,
    places,
    write_rows,
)

Ranking = list[tuple[int, float]]
"""Numbers of passages and their scores, best first."""

EXACT_UP_TO: Final = 20_000
"""Passages that a filter may leave to be compared one by one, which takes some milliseconds and misses none."""


class VectorIndex:
    """Vectors by the numbers of their passages.

    Args:
        metric: how vectors are compared.
        dimension: components of each vector.
        growing: path of a new file for vectors that are added.
        published: the vectors of a saved store; None for none.
        approximate: an index over all or most of the published vectors; None to compare with each.
    """

    def __init__(
        self,
        metric: Metric,
        dimension: int,
        *,
        growing: Path,
        published: PublishedRows | None = None,
        approximate: ApproximateIndex | None = None,
    ) -> None:
        self.metric = metric
        self.dimension = dimension
        self.approximate = approximate
        self._published = published
        self._growing_path = growing
        self._growing: GrowingRows | None = None  # made when it is needed: many stores are only read

    def __len__(self) -> int:
        return sum(alive(part) for part in self._parts())

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The smallest and the largest number; None where there is no vector."""
        left = [np.delete(part.numbers, part.removed) for part in self._parts() if alive(part)]
        return (int(left[0][0]), int(left[-1][-1])) if left else None

    def close(self) -> None:
        """Close the file of added vectors."""
        if self._growing is not None:
            self._growing.close()

    def require_dimension(self, dimension: int) -> None:
        """Raise a StoreError unless vectors of this dimension fit."""
        if dimension != self.dimension:
            raise StoreError(
                f"vectors of dimension {dimension!r} do not fit a store of dimension {self.dimension!r}: "
                "use the embedding model that the store was built with, or build a new store"
            )

    def add(self, numbers: Numbers, vectors: Matrix) -> None:
        """Add prepared vectors of shape (n, dimension) under numbers larger than all before."""
        if len(numbers) == 0:
            return
        if self._growing is None:
            self._growing = GrowingRows(self._growing_path, self.dimension)
        self._growing.append(numbers, vectors)

    def remove(self, numbers: Numbers) -> None:
        """Remove the vectors with these numbers; unknown ones are ignored."""
        for part in self._parts():
            found = places(part, numbers)
            part.remove(found[found != NOTHING])
        if self.approximate is not None:
            self.approximate.remove(numbers)

    def search(self, queries: Matrix, k: int, allowed: Numbers | None = None) -> list[Ranking]:
        """Return the k best for each query, among the allowed numbers (None: all).

        Args:
            queries: prepared, shape (queries, dimension).
            k: how many at most.
            allowed: numbers of passages, ascending.
        """
        k = min(k, len(self) if allowed is None else len(allowed))
        if k == 0:
            return [[] for _ in queries]
        if self.approximate is not None and (allowed is None or len(allowed) > EXACT_UP_TO):
            scores, numbers = self._approximately(self.approximate, queries, k, allowed)
            if (numbers[:, k - 1] != NOTHING).all():
                return self._rankings(scores, numbers)
        return self._rankings(*self._exactly(queries, k, allowed))

    def vectors(self, numbers: Numbers) -> Matrix:
        """Return the stored vectors, shape (n, dimension); cosine stores hold them normalised.

        Raises:
            StoreError: there is no vector for a number.
        """
        rows = np.empty((len(numbers), self.dimension), dtype=np.float32)
        missing = np.ones(len(numbers), dtype=bool)
        for part in self._parts():
            found = places(part, numbers)
            here = found != NOTHING
            rows[here] = part.matrix[found[here]]
            missing &= ~here
        if missing.any():
            raise StoreError(f"the store has no vector for passage number {int(numbers[missing][0])}: build it again")
        return rows

    def write(self, path: Path) -> None:
        """Write all vectors to a file, in constant memory."""
        write_rows(path, list(self._parts()), dimension=self.dimension, metric=self.metric)

    def _parts(self) -> Iterator[PublishedRows | GrowingRows]:
        if self._published is not None:
            yield self._published
        if self._growing is not None:
            yield self._growing

    def _approximately(
        self, index: ApproximateIndex, queries: Matrix, k: int, allowed: Numbers | None
    ) -> tuple[Matrix, Numbers]:
        assert self._published is not None
        inside = allowed if allowed is None else allowed[allowed <= index.tuned.last]
        found = []
        if inside is None or len(inside):
            positions = places(self._published, index.candidates(queries, k, inside))
            found.append(nearest_of(self._published, queries, positions, k, self.metric))
        newer = int(np.searchsorted(self._published.numbers, index.tuned.last, side="right"))
        for part, start in ((self._published, newer), (self._growing, 0)):
            if part is not None and start < len(part.numbers):
                found.append(self._part_exactly(part, queries, k, allowed, start))
        return self._best(found, k)

    def _exactly(self, queries: Matrix, k: int, allowed: Numbers | None) -> tuple[Matrix, Numbers]:
        return self._best([self._part_exactly(part, queries, k, allowed, 0) for part in self._parts()], k)

    def _part_exactly(
        self, part: Rows, queries: Matrix, k: int, allowed: Numbers | None, start: int
    ) -> tuple[Matrix, Numbers]:
        if allowed is None:
            return nearest(part, queries, k, self.metric, start=start)
        positions = places(part, allowed)
        positions = positions[positions >= max(start, 0)]
        return nearest_of(part, queries, positions, k, self.metric)

    def _best(self, found: list[tuple[Matrix, Numbers]], k: int) -> tuple[Matrix, Numbers]:
        if len(found) == 1:
            return found[0]
        scores = np.concatenate([part[0] for part in found], axis=1)
        numbers = np.concatenate([part[1] for part in found], axis=1)
        order = np.argsort(scores if self.metric == "l2" else -scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(numbers, order, axis=1)

    def _rankings(self, scores: Matrix, numbers: Numbers) -> list[Ranking]:
        sign = 1 if self.metric == "l2" else -1
        rankings = []
        for row_scores, row_numbers in zip(scores.tolist(), numbers.tolist(), strict=True):
            hits = [(n, score(s, self.metric)) for n, s in zip(row_numbers, row_scores, strict=True) if n != NOTHING]
            rankings.append(sorted(hits, key=lambda hit: (sign * hit[1], hit[0])))
        return rankings
