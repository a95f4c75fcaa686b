"""The store without its embedding model: vectors and passages that change together and are searched together.

A reader sees one moment of both. Texts come with their vectors; nothing here calls a model.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import StoreError
from automix_graph.retrieval.approximate import ApproximateIndex
from automix_graph.retrieval.entries import Change, SourceState
from automix_graph.retrieval.filters import Filter
from automix_graph.retrieval.fusion import FUSION_DEPTH, maximal_marginal_relevance, reciprocal_rank_fusion
from automix_graph.retrieval.lock import ReadWriteLock
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers, prepared
from automix_graph.retrieval.moments import Applied, Moment, PublishedStore
from automix_graph.retrieval.passages import Passages, Row, document_of
from automix_graph.retrieval.plan import Tuned
from automix_graph.retrieval.rows import PublishedRows
from automix_graph.retrieval.vectors import Nearest, Ranking, VectorIndex
from automix_graph.retrieval.workspace import WorkingFiles, writing_them

Hits = list[tuple[Document, float]]


class Collection:
    """Vectors and passages under one readers-writer lock.

    Args:
        metric: how vectors are compared.
        published: a saved store to start from, whose passages are copied on the first write; None to start empty.
    """

    def __init__(self, metric: Metric, *, published: PublishedStore | None = None) -> None:
        self.metric = metric
        self._lock = ReadWriteLock()
        self._index: VectorIndex | None = None
        self._changes = 0
        self._resources = ExitStack()
        self._files = WorkingFiles(self._resources)
        # Closes connections and removes working files when the collection is dropped without `close`.
        self._finalizer = weakref.finalize(self, self._resources.close)
        try:
            if published is None:
                with writing_them():
                    self._passages = Passages.create(self._files.new("passages.sqlite"))
            else:
                self._passages = Passages(published.passages, published=True)
            self._resources.callback(self._passages.close)
            if published is not None:
                self._index = self._opened_index(published)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files and remove the working copy; a second call does nothing."""
        with self._lock.writing():
            self._finalizer()

    def count(self) -> int:
        """Return the number of passages, at once."""
        with self._lock.reading():
            self._opened()
            return 0 if self._index is None else len(self._index)

    @property
    def dimension(self) -> int | None:
        """Components of each vector; None before the first one."""
        return None if self._index is None else self._index.dimension

    @property
    def changes(self) -> int:
        """How often it was changed."""
        return self._changes

    @property
    def tuned(self) -> Tuned | None:
        """The approximate index that searches use; None where every vector is compared."""
        index = self._index
        return None if index is None or index.approximate is None else index.approximate.tuned

    def bounds(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Return the smallest and the largest number of the vectors, and of the passages; they should be the same."""
        with self._lock.reading():
            passages = self._opened()
            return None if self._index is None else self._index.bounds, passages.bounds()

    def source_states(self) -> dict[str, SourceState]:
        """Return what ingestion knows of each source."""
        with self._lock.reading():
            passages = self._opened()
            return passages.source_states()

    # Writing

    def apply(self, change: Change, vectors: Matrix) -> Applied:
        """Make a change; vectors has one row for each passage put.

        Raises:
            StoreError: the vectors do not fit, or the disk is full; nothing has changed then.
        """
        with self._writing() as passages:
            index = self._index_for(vectors)
            rows = prepared(vectors, self.metric)
            removed = added = np.empty(0, dtype=np.int64)
            try:
                with passages.changing(change, rows) as (removed, added):
                    if index is not None:
                        index.add(added, rows)
            finally:
                # After a failure these are the new vectors, else the old ones. The passages have the say, so that even
                # an interrupt between the two writes leaves both alike.
                if index is not None:
                    index.remove(passages.missing(np.concatenate([removed, added])))
            self._index = index
            self._changes += 1
            return Applied(removed=len(removed), added=len(added))

    def _index_for(self, vectors: Matrix) -> VectorIndex | None:
        if len(vectors) == 0:
            return self._index
        if self._index is None:
            return self._new_index(vectors.shape[1])
        self._index.require_dimension(vectors.shape[1])
        return self._index

    # Searching

    def nearest(self, queries: Matrix, *, k: int, wanted: Filter | None) -> Nearest:
        """Return the numbers of the k passages nearest to each row of the queries, and their scores."""
        with self._lock.reading():
            passages = self._opened()
            return self._nearest(queries, k, _allowed(passages, wanted), rescore=False)

    def by_numbers(self, numbers: Sequence[int]) -> list[Document]:
        """Return the passages with these numbers that exist."""
        with self._lock.reading():
            passages = self._opened()
            rows = passages.by_numbers(list(dict.fromkeys(numbers)))
            return self._checked([rows[number] for number in numbers if number in rows])

    def dense(self, queries: Matrix, *, k: int, wanted: Filter | None) -> list[Hits]:
        """Return, for each row of the queries, the k passages nearest to it with their scores, best first."""
        with self._lock.reading():
            passages = self._opened()
            return self._documents(passages, self._nearest(queries, k, _allowed(passages, wanted)).rankings())

    def bm25(self, queries: Sequence[str], *, k: int, wanted: Filter | None) -> list[Hits]:
        """Return, for each query, the k best passages by BM25 with their scores, best first."""
        with self._lock.reading():
            passages = self._opened()
            allowed = _allowed(passages, wanted)
            return self._documents(passages, [passages.bm25(query, k, allowed) for query in queries])

    def hybrid(
        self, queries: Sequence[str], vectors: Matrix, *, trust: Sequence[float], k: int, wanted: Filter | None
    ) -> list[Hits]:
        """Return, for each query, its vector and its trust, the k best passages by the fused ranks of both searches.

        Trust is the weight of the vectors against the words, whose weight is 1.
        """
        depth = max(k, FUSION_DEPTH)
        with self._lock.reading():
            passages = self._opened()
            allowed = _allowed(passages, wanted)
            # Words come first, because ties go to the first list: alone they are the better one (see the benchmark).
            words = [passages.bm25(query, depth, allowed) for query in queries]
            near = self._nearest(vectors, depth, allowed).rankings()
            rankings = [
                reciprocal_rank_fusion([_numbers(by_words), _numbers(by_vector)], weights=(1.0, weight))[:k]
                for by_words, by_vector, weight in zip(words, near, trust, strict=True)
            ]
            return self._documents(passages, rankings)

    def diverse(
        self, vector: Matrix, *, k: int, fetch_k: int, lambda_mult: float, wanted: Filter | None
    ) -> list[Document]:
        """Return k of the fetch_k nearest passages, chosen by maximal marginal relevance."""
        with self._lock.reading():
            passages = self._opened()
            (hits,) = self._nearest(vector[None, :], max(k, fetch_k), _allowed(passages, wanted)).rankings()
            if self._index is None or not hits:
                return []
            candidates = self._index.vectors(np.array([number for number, _ in hits]))
            rows = maximal_marginal_relevance(vector, candidates, k=k, lambda_mult=lambda_mult)
            (chosen,) = self._documents(passages, [[hits[row] for row in rows]])
            return [document for document, _ in chosen]

    def get(self, ids: Sequence[str]) -> list[Document]:
        """Return the passages with these ids that exist."""
        with self._lock.reading():
            passages = self._opened()
            return self._checked(passages.by_ids(ids))

    def _checked(self, rows: Sequence[Row]) -> list[Document]:
        if self._index is None or not rows:
            return []
        vectors = self._index.vectors(np.array([row[0] for row in rows]))
        return [document_of(row, vector) for row, vector in zip(rows, vectors, strict=True)]

    def _nearest(self, queries: Matrix, k: int, allowed: Numbers | None, *, rescore: bool = True) -> Nearest:
        if self._index is None:
            return Nearest.none(len(queries))
        self._index.require_dimension(queries.shape[1])
        return self._index.search(prepared(queries, self.metric), k, allowed, rescore=rescore)

    def _documents(self, passages: Passages, rankings: Sequence[Ranking]) -> list[Hits]:
        """Return the passages of rankings, each read and checked once."""
        numbers = list(dict.fromkeys(number for ranking in rankings for number, _ in ranking))
        if self._index is None or not numbers:
            return [[] for _ in rankings]
        vectors = self._index.vectors(np.array(numbers))
        rows = passages.by_numbers(numbers)
        if len(rows) < len(numbers):
            missing = next(number for number in numbers if number not in rows)
            raise StoreError(f"passage number {missing} is missing: restore the store from a copy, or build it again")
        checked = {number: (rows[number], vector) for number, vector in zip(numbers, vectors, strict=True)}
        return [[(document_of(*checked[number]), score) for number, score in ranking] for ranking in rankings]

    # Saving

    def write_files(self, vectors: Path, passages: Path, *, dimension: int) -> Moment:
        """Write one moment of the collection to two new files."""
        with self._lock.reading():
            current = self._opened()
            index = self._index or self._new_index(dimension)
            index.write(vectors)
            current.write_compact(passages)
            return Moment(count=len(index), changes=self._changes)

    def search_with(self, published: PublishedStore, moment: Moment) -> None:
        """Search with the files of a saved store, unless the collection has changed since they were written."""
        with self._lock.writing():
            self._opened()
            if self._changes == moment.changes:
                outdated, self._index = self._index, self._opened_index(published)
                if outdated is not None:
                    outdated.close()  # else the files of each save would take up the disk until the store is closed

    # State

    @contextmanager
    def _writing(self) -> Iterator[Passages]:
        with self._lock.writing(), writing_them():
            self._opened()
            if self._passages.published:
                self._detach()
            yield self._passages

    def _detach(self) -> None:
        """Replace the published file by a private copy."""
        published = self._passages
        self._passages = published.copy(self._files.new("passages.sqlite"))
        self._resources.callback(self._passages.close)
        published.close()

    def _new_index(self, dimension: int) -> VectorIndex:
        return self._closing(VectorIndex(self.metric, dimension, growing=self._files.new("vectors.f32")))

    def _opened_index(self, published: PublishedStore) -> VectorIndex:
        rows = PublishedRows.read(published.vectors, self.metric)
        approximate = None
        if published.index is not None:
            approximate = ApproximateIndex.read(*published.index)
            approximate.leave_out_all_but(rows.numbers)
        growing = self._files.new("vectors.f32")
        return self._closing(
            VectorIndex(self.metric, rows.dimension, growing=growing, published=rows, approximate=approximate)
        )

    def _closing(self, index: VectorIndex) -> VectorIndex:
        self._resources.callback(index.close)
        return index

    def _opened(self) -> Passages:
        if not self._finalizer.alive:
            raise StoreError("the store is closed; open it again", code="store-closed")
        return self._passages


def _numbers(ranking: Ranking) -> list[int]:
    return [number for number, _ in ranking]


def _allowed(passages: Passages, wanted: Filter | None) -> Numbers | None:
    return None if wanted is None else passages.numbers_where(wanted)
