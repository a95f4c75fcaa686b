"""Searching with the scores of each mode, one query or many at a time, over a `Collection`.

Every search is one embedding of the queries and one call of the collection; the async methods await the first and give
the second to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, Literal, assert_never, get_args

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from automix_graph.config import DEFAULT_K
from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.collection import Collection, Hits
from automix_graph.retrieval.filters import Filter
from automix_graph.retrieval.fusion import UNFAMILIAR_WEIGHT
from automix_graph.retrieval.metrics import Matrix, as_matrix
from automix_graph.retrieval.terms import mostly_cjk
from automix_graph.retrieval.vectors import Nearest

SearchMode = Literal["hybrid", "similarity", "bm25"]
"""How passages are ranked: by fused ranks, by vectors, or by words."""

SEARCH_MODES: Final[tuple[SearchMode, ...]] = get_args(SearchMode)


class RankedStore(VectorStore):
    """The searches that give scores."""

    collection: Collection
    """The store without its embedding model; ingestion writes to it directly."""

    _embedding: Embeddings

    @property
    def embeddings(self) -> Embeddings:
        """The embedding model."""
        return self._embedding

    def search_with_score(
        self, query: str, search_type: str = "hybrid", *, k: int = DEFAULT_K, filter: Filter | None = None
    ) -> Hits:
        """Return the k best passages with their scores, best first.

        Args:
            query: any text.
            search_type: ``"hybrid"`` (score: fused reciprocal ranks), ``"similarity"`` (score: see the store's metric)
                or ``"bm25"`` (score: BM25; passages without any word of the query are not returned).
            k: how many passages, at least 1.
            filter: conditions on metadata, see `FaissStore`; applied before ranking.

        Raises:
            ConfigurationError: an unknown search type, a k below 1, or a wrong filter.
        """
        mode = _require_mode(search_type)
        require_k(k)
        if mode == "bm25":
            return self.collection.bm25([query], k=k, wanted=filter)[0]
        return self._ranked(mode, [query], [self._embedding.embed_query(query)], k, filter)[0]

    async def asearch_with_score(
        self, query: str, search_type: str = "hybrid", *, k: int = DEFAULT_K, filter: Filter | None = None
    ) -> Hits:
        """Return the k best passages with their scores, without blocking; see `search_with_score`."""
        mode = _require_mode(search_type)
        require_k(k)
        if mode == "bm25":
            return (await asyncio.to_thread(self.collection.bm25, [query], k=k, wanted=filter))[0]
        vector = await self._embedding.aembed_query(query)
        return (await asyncio.to_thread(self._ranked, mode, [query], [vector], k, filter))[0]

    def search_batch(
        self,
        queries: Sequence[str],
        search_type: str = "hybrid",
        *,
        k: int = DEFAULT_K,
        filter: Filter | None = None,
    ) -> list[Hits]:
        """Return, for each query, the k best passages with their scores; see `search_with_score`.

        The queries are embedded in one call of the model and searched together, which takes less time than one by one,
        and all see the same moment of the store.
        """
        mode = _require_mode(search_type)
        require_k(k)
        if not queries:
            return []
        vectors = [] if mode == "bm25" else [self._embedding.embed_query(query) for query in queries]
        return self._ranked(mode, queries, vectors, k, filter)

    async def asearch_batch(
        self,
        queries: Sequence[str],
        search_type: str = "hybrid",
        *,
        k: int = DEFAULT_K,
        filter: Filter | None = None,
    ) -> list[Hits]:
        """Return, for each query, the k best passages with their scores, without blocking; see `search_batch`."""
        mode = _require_mode(search_type)
        require_k(k)
        if not queries:
            return []
        embedding = self._embedding
        vectors = [] if mode == "bm25" else await asyncio.gather(*map(embedding.aembed_query, queries))
        return await asyncio.to_thread(self._ranked, mode, queries, vectors, k, filter)

    def search_vectors(
        self, vectors: Sequence[Sequence[float]] | Matrix, *, k: int = DEFAULT_K, filter: Filter | None = None
    ) -> list[Hits]:
        """Return, for each vector, the k passages nearest to it with their scores, nearest first.

        Args:
            vectors: shape (queries, dimension).
            k: how many passages, at least 1.
            filter: conditions on metadata; applied before ranking.
        """
        return self.collection.dense(as_matrix(vectors), k=require_k(k), wanted=filter) if len(vectors) else []

    def search_numbers(
        self, vectors: Sequence[Sequence[float]] | Matrix, *, k: int = DEFAULT_K, filter: Filter | None = None
    ) -> Nearest:
        """Return, for each vector, the numbers of the k passages nearest to it and their scores, as arrays.

        This is what FAISS alone answers, and takes little longer. `get_by_numbers` reads the passages of those that
        are wanted, and compares them and their vectors with their checksums; nothing is checked here, and of an index
        that keeps whole vectors (``"hnsw"``, ``"ivf"``), the scores are those that it computes.

        Args:
            vectors: shape (queries, dimension).
            k: how many passages, at least 1.
            filter: conditions on metadata; applied before ranking.

        Example:
            >>> from automix_graph.retrieval import FaissStore
            >>> from automix_graph.testing.embeddings import HashEmbeddings
            >>> with FaissStore.from_texts(["Otters hold hands.", "Owls fly."], HashEmbeddings()) as store:
            ...     found = store.search_numbers([HashEmbeddings().embed_query("Do owls fly?")], k=2)
            ...     found.numbers.tolist(), store.get_by_numbers([2])[0].page_content
            ([[2, 1]], 'Owls fly.')
        """
        return self.collection.nearest(as_matrix(vectors), k=require_k(k), wanted=filter)

    def get_by_numbers(self, numbers: Iterable[int]) -> list[Document]:
        """Return the passages with these numbers that exist, in their order; see `search_numbers`.

        A passage keeps its number until it is replaced or deleted, and no other ever gets it.
        """
        return self.collection.by_numbers([int(number) for number in numbers])

    def _ranked(
        self,
        mode: SearchMode,
        queries: Sequence[str],
        vectors: Sequence[Sequence[float]],
        k: int,
        wanted: Filter | None,
    ) -> list[Hits]:
        match mode:
            case "hybrid":
                trust = [self._trust(query) for query in queries]
                return self.collection.hybrid(queries, as_matrix(vectors), trust=trust, k=k, wanted=wanted)
            case "similarity":
                return self.collection.dense(as_matrix(vectors), k=k, wanted=wanted)
            case "bm25":
                return self.collection.bm25(queries, k=k, wanted=wanted)
            case _:
                assert_never(mode)

    def _trust(self, query: str) -> float:
        """Return the weight of the query's vector: little where the model does not know the query's language."""
        languages = getattr(self._embedding, "languages", None)
        if languages is None or not mostly_cjk(query) or {"zh", "ja", "ko"} & set(languages):
            return 1.0
        return UNFAMILIAR_WEIGHT


def require_k(k: int, *, name: str = "k") -> int:
    """Return k, or raise a ConfigurationError unless it is a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigurationError(f"{name} is {k!r}; it must be a whole number of at least 1")
    return k


def _require_mode(search_type: str) -> SearchMode:
    for mode in SEARCH_MODES:
        if search_type == mode:
            return mode
    raise ConfigurationError(
        f"search_type {search_type!r} has no scores of its own; those with scores are {', '.join(SEARCH_MODES)}"
    )
