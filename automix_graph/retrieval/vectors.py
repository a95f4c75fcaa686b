"""The vectors of a store: those it was opened with, those added since, and an approximate index over the former.

Whatever finds a passage, its score comes from its own vector. It knows no text and no lock: nobody may search while it
is changed, and the caller sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from automix_graph.errors import StoreError
from automix_graph.retrieval.approximate import ApproximateIndex
from automix_graph.retrieval.comparing import Best, nearest, nearest_of, rescored
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers, scores_of
from automix_graph.retrieval.rows import NOTHING, GrowingRows, PublishedRows, Rows, alive, places, write_rows

Ranking = list[tuple[int, float]]
"""Numbers of passages and their scores, best first."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """What a search by vectors has found, as FAISS gives it: arrays, best first.

    Attributes:
        numbers: of passages, shape (queries, k), or fewer than k where there are fewer; -1 is no passage.
        scores: in the same shape, by the metric of the store; NaN where there is no passage.
    """

    numbers: Numbers
    scores: Matrix

    @classmethod
    def none(cls, queries: int) -> Self:
        """Return that nothing was found for any query."""
        return cls(numbers=np.empty((queries, 0), dtype=np.int64), scores=np.empty((queries, 0), dtype=np.float32))

    def rankings(self) -> list[Ranking]:
        """Return the hits of each query as pairs."""
        pairs = zip(self.numbers.tolist(), self.scores.tolist(), strict=True)
        return [[hit for hit in zip(numbers, scores, strict=True) if hit[0] != NOTHING] for numbers, scores in pairs]


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
        self._newer = 0  # position of the first published row that came after the approximate index
        if published is not None and approximate is not None:
            self._newer = int(np.searchsorted(published.numbers, approximate.tuned.last, side="right"))
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
        """Close the files; nothing can be searched afterwards."""
        for part in self._parts():
            part.close()
        self._published = self._growing = self.approximate = None

    def require_dimension(self, dimension: int) -> None:
        """Raise a StoreError unless vectors of this dimension fit."""
        if dimension != self.dimension:
            raise StoreError(
                f"vectors of dimension {dimension!r} do not fit a store of dimension {self.dimension!r}: "
                "use the embedding model that the store was built with, or build a new store",
                code="bad-vectors",
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

    def search(self, queries: Matrix, k: int, allowed: Numbers | None = None) -> Nearest:
        """Return the k best for each query, among the allowed numbers (None: all).

        Args:
            queries: prepared, shape (queries, dimension).
            k: how many at most.
            allowed: numbers of passages, ascending.
        """
        k = min(k, len(self) if allowed is None else len(allowed))
        if k and self.approximate is not None and (allowed is None or len(allowed) > EXACT_UP_TO):
            found = self._ordered(*self._approximately(self.approximate, queries, k, allowed), k)
            if found.numbers[:, -1].min(initial=0) != NOTHING:
                return found
        return self._ordered(*self._exactly(queries, k, allowed), k)

    def vectors(self, numbers: Numbers) -> Matrix:
        """Return the stored vectors, shape (n, dimension); cosine stores hold them normalised.

        Raises:
            StoreError: there is no vector for a number.
        """
        rows = np.empty((0, self.dimension), dtype=np.float32)
        missing = np.ones(len(numbers), dtype=bool)
        for part in self._parts():
            found = places(part, numbers)
            here = found != NOTHING
            if here.all():
                return part.file.at(found)
            rows = rows if len(rows) else np.empty((len(numbers), self.dimension), dtype=np.float32)
            rows[here] = part.file.at(found[here])
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
        best = Best(len(queries), k, self.metric)
        if inside is None or len(inside):
            candidates = index.candidates(queries, k, inside)
            best.add(*rescored(self._published, queries, candidates, self.metric))
        for part, start in ((self._published, self._newer), (self._growing, 0)):
            if part is not None and start < len(part.numbers):
                best.add(*self._part_exactly(part, queries, k, allowed, start))
        return best.found()

    def _exactly(self, queries: Matrix, k: int, allowed: Numbers | None) -> tuple[Matrix, Numbers]:
        best = Best(len(queries), k, self.metric)
        for part in self._parts() if k else ():
            best.add(*self._part_exactly(part, queries, k, allowed, 0))
        return best.found()

    def _part_exactly(
        self, part: Rows, queries: Matrix, k: int, allowed: Numbers | None, start: int
    ) -> tuple[Matrix, Numbers]:
        if allowed is None:
            return nearest(part, queries, k, self.metric, start=start)
        positions = places(part, allowed)
        positions = positions[positions >= max(start, 0)]
        return nearest_of(part, queries, positions, k, self.metric)

    def _ordered(self, raw: Matrix, numbers: Numbers, k: int) -> Nearest:
        """Return the k best of what was found with the scores of the metric, equal ones by their numbers."""
        scores = scores_of(raw, self.metric)
        if numbers.min(initial=0) < 0:
            scores[numbers < 0] = np.nan  # sorted last
        keys = scores if self.metric == "l2" else -scores
        if len(numbers) == 1:
            best = np.lexsort((numbers[0], keys[0]))[:k]
            return Nearest(numbers=numbers[:, best], scores=scores[:, best])
        order = np.lexsort((numbers, keys))[:, :k]
        rows = np.arange(len(order))[:, None]
        return Nearest(numbers=numbers[rows, order], scores=scores[rows, order])
