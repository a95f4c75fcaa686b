"""The vectors of a store: those it was opened with, those added since, and an approximate index over the former.

It knows no text and no lock: nobody may search while it is changed, and the caller sees to that.
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
        self._take_stock()

    def __len__(self) -> int:
        return self._count

    def _take_stock(self) -> None:
        """Note what every search asks for, after each change."""
        self._count = sum(alive(part) for part in self._parts())
        starts = ((self._published, self._newer), (self._growing, 0))
        self._unindexed = [(part, start) for part, start in starts if part is not None and start < len(part.numbers)]

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
        self._take_stock()

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
        self._take_stock()

    def remove(self, numbers: Numbers) -> None:
        """Remove the vectors with these numbers; unknown ones are ignored."""
        for part in self._parts():
            found = places(part, numbers)
            part.remove(found[found != NOTHING])
        self._take_stock()
        if self.approximate is not None:
            self.approximate.remove(numbers)

    def search(self, queries: Matrix, k: int, allowed: Numbers | None = None, *, rescore: bool = True) -> Nearest:
        """Return the k best for each query, among the allowed numbers (None: all).

        Args:
            queries: prepared, shape (queries, dimension).
            k: how many at most.
            allowed: numbers of passages, ascending.
            rescore: score what an approximate index finds by the passages' own vectors, so that a damaged index cannot
                rank a passage wrongly. Without it, only what a blurred index finds is scored so.
        """
        k = min(k, len(self) if allowed is None else len(allowed))
        if k == 0 or len(queries) == 0:
            return Nearest.none(len(queries))
        if self.approximate is not None and (allowed is None or len(allowed) > EXACT_UP_TO):
            found = self._ordered(*self._approximately(self.approximate, queries, k, allowed, rescore), k)
            if not _lacking(found.numbers):
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
        self, index: ApproximateIndex, queries: Matrix, k: int, allowed: Numbers | None, rescore: bool
    ) -> tuple[Matrix, Numbers]:
        if allowed is None and not self._unindexed:
            return self._proposed(index, queries, k, None, rescore)
        inside = allowed if allowed is None else allowed[allowed <= index.tuned.last]
        best = Best(len(queries), k, self.metric)
        if inside is None or len(inside):
            best.add(*self._proposed(index, queries, k, inside, rescore))
        for part, start in self._unindexed:
            best.add(*self._part_exactly(part, queries, k, allowed, start))
        return best.found()

    def _proposed(
        self, index: ApproximateIndex, queries: Matrix, k: int, allowed: Numbers | None, rescore: bool
    ) -> tuple[Matrix, Numbers]:
        scores, numbers = index.search(queries, k, allowed)
        if rescore or index.blurred:
            assert self._published is not None
            return rescored(self._published, queries, numbers, self.metric)
        return scores, numbers

    def _exactly(self, queries: Matrix, k: int, allowed: Numbers | None) -> tuple[Matrix, Numbers]:
        best = Best(len(queries), k, self.metric)
        for part in self._parts():
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
        if np.minimum.reduce(numbers, axis=None) < 0:
            scores[numbers < 0] = np.nan  # sorted last
        keys = scores if self.metric == "l2" else -scores
        ranks = numbers.view(np.uint64)  # of equal scores, NaN included, `NOTHING` comes last
        if len(numbers) == 1:
            best = np.lexsort((ranks[0], keys[0]))[:k]
            return Nearest(numbers=numbers[:, best], scores=scores[:, best])
        order = np.lexsort((ranks, keys))[:, :k]
        rows = np.arange(len(order))[:, None]
        return Nearest(numbers=numbers[rows, order], scores=scores[rows, order])


def _lacking(numbers: Numbers) -> bool:
    """Return whether fewer than all were found for any query, of numbers with `NOTHING` at the end of each row."""
    return NOTHING in numbers[:, -1].tolist()
