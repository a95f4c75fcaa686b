"""The store without its embedding model: vectors and passages that change together and are searched together.

A reader sees one moment of both. Texts come with their vectors; nothing here calls a model.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval.entries import Change, SourceState
from automix_graph.retrieval.filters import Filter
from automix_graph.retrieval.fusion import FUSION_DEPTH, maximal_marginal_relevance, reciprocal_rank_fusion
from automix_graph.retrieval.lock import ReadWriteLock
from automix_graph.retrieval.passages import Passages
from automix_graph.retrieval.vectors import Matrix, Metric, Numbers, VectorIndex

Hits = list[tuple[Document, float]]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """How many passages a change removed and added; a replaced one counts in both."""

    removed: int
    added: int


class Collection:
    """Vectors and passages under one readers-writer lock.

    Args:
        metric: how vectors are compared.
        index: vectors to start from; None for an empty collection.
        published: the passages of a saved store; they are copied on the first write. None for an empty collection.
    """

    def __init__(self, metric: Metric, *, index: VectorIndex | None = None, published: Path | None = None) -> None:
        self.metric = metric
        self._lock = ReadWriteLock()
        self._index = index
        self._resources = ExitStack()
        # Closes connections and removes working files when the collection is dropped without `close`.
        self._finalizer = weakref.finalize(self, self._resources.close)
        try:
            if published is None:
                self._passages = Passages.create(self._workspace() / "passages.sqlite")
            else:
                self._passages = Passages(published, published=True)
            self._resources.callback(self._passages.close)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all files and remove the working copy; a second call does nothing."""
        with self._lock.writing():
            self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._finalizer.alive

    def count(self) -> int:
        """Return the number of passages."""
        with self._reading() as passages:
            return passages.count()

    @property
    def dimension(self) -> int | None:
        """Components of each vector; None before the first one."""
        return None if self._index is None else self._index.dimension

    def source_states(self) -> dict[str, SourceState]:
        """Return what ingestion knows of each source."""
        with self._reading() as passages:
            return passages.source_states()

    # Writing

    def apply(self, change: Change, vectors: Matrix) -> Applied:
        """Make a change; vectors has one row for each passage put.

        Raises:
            StoreError: the vectors do not fit; nothing has changed then.
        """
        with self._writing() as passages:
            index = self._index_for(vectors)
            removed = added = np.empty(0, dtype=np.int64)
            try:
                with passages.changing(change) as (removed, added):
                    if index is not None:
                        index.add(added, vectors)
            finally:
                # After a failure these are the new vectors, else the old ones. The passages have the say, so that even
                # an interrupt between the two writes leaves both alike.
                if index is not None:
                    index.remove(passages.missing(np.concatenate([removed, added])))
            self._index = index
            return Applied(removed=len(removed), added=len(added))

    def _index_for(self, vectors: Matrix) -> VectorIndex | None:
        if len(vectors) == 0:
            return self._index
        if self._index is None:
            return VectorIndex.create(vectors.shape[1], self.metric)
        self._index.require_dimension(vectors.shape[1])
        return self._index

    # Searching

    def dense(self, vector: Matrix, *, k: int, wanted: Filter | None) -> Hits:
        """Return the k passages nearest to a vector with their scores, best first."""
        with self._reading() as passages:
            return _documents(passages, self._dense(vector, k, _allowed(passages, wanted)))

    def bm25(self, query: str, *, k: int, wanted: Filter | None) -> Hits:
        """Return the k best passages by BM25 with their scores, best first."""
        with self._reading() as passages:
            return _documents(passages, passages.bm25(query, k, _allowed(passages, wanted)))

    def hybrid(self, query: str, vector: Matrix, *, k: int, wanted: Filter | None) -> Hits:
        """Return the k best passages by the fused ranks of both searches, best first."""
        depth = max(k, FUSION_DEPTH)
        with self._reading() as passages:
            allowed = _allowed(passages, wanted)
            # Words come first, because ties go to the first list: alone they are the better one (see the benchmark).
            rankings = [passages.bm25(query, depth, allowed), self._dense(vector, depth, allowed)]
            fused = reciprocal_rank_fusion([[number for number, _ in ranking] for ranking in rankings])
            return _documents(passages, fused[:k])

    def diverse(
        self, vector: Matrix, *, k: int, fetch_k: int, lambda_mult: float, wanted: Filter | None
    ) -> list[Document]:
        """Return k of the fetch_k nearest passages, chosen by maximal marginal relevance."""
        with self._reading() as passages:
            hits = self._dense(vector, max(k, fetch_k), _allowed(passages, wanted))
            if self._index is None or not hits:
                return []
            numbers = [number for number, _ in hits]
            candidates = self._index.vectors(numbers)
            rows = maximal_marginal_relevance(vector, candidates, k=k, lambda_mult=lambda_mult)
            return passages.by_numbers([numbers[row] for row in rows])

    def get(self, ids: Sequence[str]) -> list[Document]:
        """Return the passages with these ids that exist."""
        with self._reading() as passages:
            return passages.by_ids(ids)

    def _dense(self, vector: Matrix, k: int, allowed: Numbers | None) -> list[tuple[int, float]]:
        if self._index is None:
            return []
        self._index.require_dimension(len(vector))
        return self._index.search(vector, k, allowed)

    # Saving

    def write_files(self, vectors: Path, passages: Path, *, dimension: int) -> int:
        """Write one moment of the collection to two new files and return its number of passages."""
        with self._reading() as current:
            index = self._index or VectorIndex.create(dimension, self.metric)
            index.write(vectors)
            current.write_compact(passages)
            return current.count()

    # State

    @contextmanager
    def _reading(self) -> Iterator[Passages]:
        with self._lock.reading():
            self._require_open()
            yield self._passages

    @contextmanager
    def _writing(self) -> Iterator[Passages]:
        with self._lock.writing():
            self._require_open()
            if self._passages.published:
                self._detach()
            yield self._passages

    def _detach(self) -> None:
        """Replace the published file by a private copy."""
        published = self._passages
        self._passages = published.copy(self._workspace() / "passages.sqlite")
        self._resources.callback(self._passages.close)
        published.close()

    def _workspace(self) -> Path:
        folder = tempfile.mkdtemp(prefix="automix-store-")
        self._resources.callback(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def _require_open(self) -> None:
        if self.closed:
            raise StoreError("the store is closed; open it again")


def require_k(k: int, *, name: str = "k") -> int:
    """Return k, or raise a ConfigurationError unless it is a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigurationError(f"{name} is {k!r}; it must be a whole number of at least 1")
    return k


def _allowed(passages: Passages, wanted: Filter | None) -> Numbers | None:
    return None if wanted is None else passages.numbers_where(wanted)


def _documents(passages: Passages, hits: list[tuple[int, float]]) -> Hits:
    documents = passages.by_numbers([number for number, _ in hits])
    return [(document, score) for document, (_, score) in zip(documents, hits, strict=True)]
