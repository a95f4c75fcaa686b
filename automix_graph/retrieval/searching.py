"""The reading half of the store: LangChain's search methods over a `Collection`, sync and async.

Every search is one embedding of the query and one call of the collection; the async methods await the first and give
the second to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.documents import Document

from automix_graph.config import DEFAULT_K
from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.collection import Hits
from automix_graph.retrieval.filters import Filter
from automix_graph.retrieval.metrics import as_matrix, relevance
from automix_graph.retrieval.ranking import SEARCH_MODES, RankedStore, require_k

SEARCH_TYPES: Final = (*SEARCH_MODES, "mmr", "similarity_score_threshold")
"""How passages can be searched: the ways of this store, and two of LangChain's."""

DEFAULT_FETCH_K: Final = 20
"""Passages from which maximal marginal relevance chooses."""

DEFAULT_LAMBDA: Final = 0.5
"""Weight of relevance against diversity in maximal marginal relevance."""


class SearchableStore(RankedStore):
    """LangChain's search methods; `FaissStore` adds writing, saving and opening."""

    def search(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Return passages by any search type: one of `SEARCH_TYPES`."""
        if require_search_type(search_type) in SEARCH_MODES:
            return _documents(self.search_with_score(query, search_type, **kwargs))
        return super().search(query, search_type, **kwargs)

    async def asearch(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Return passages by any search type, without blocking."""
        if require_search_type(search_type) in SEARCH_MODES:
            return _documents(await self.asearch_with_score(query, search_type, **kwargs))
        return await super().asearch(query, search_type, **kwargs)

    def similarity_search(
        self, query: str, k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k passages nearest to the query."""
        return _documents(self.similarity_search_with_score(query, k, filter=filter, **kwargs))

    async def asimilarity_search(
        self, query: str, k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k passages nearest to the query, without blocking."""
        return _documents(await self.asimilarity_search_with_score(query, k, filter=filter, **kwargs))

    def similarity_search_with_score(
        self, query: str, k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> Hits:
        """Return the k passages nearest to the query with their scores, nearest first."""
        _refuse(kwargs)
        return self.search_with_score(query, "similarity", k=k, filter=filter)

    async def asimilarity_search_with_score(
        self, query: str, k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> Hits:
        """Return the k passages nearest to the query with their scores, without blocking."""
        _refuse(kwargs)
        return await self.asearch_with_score(query, "similarity", k=k, filter=filter)

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k passages nearest to a vector."""
        _refuse(kwargs)
        return _documents(self.collection.dense(as_matrix([embedding]), k=require_k(k), wanted=filter)[0])

    async def asimilarity_search_by_vector(
        self, embedding: list[float], k: int = DEFAULT_K, *, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k passages nearest to a vector, without blocking."""
        return await asyncio.to_thread(self.similarity_search_by_vector, embedding, k, filter=filter, **kwargs)

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = DEFAULT_K,
        fetch_k: int = DEFAULT_FETCH_K,
        lambda_mult: float = DEFAULT_LAMBDA,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k of the fetch_k nearest passages, near to the query and far from each other.

        Args:
            query: any text.
            k: how many passages.
            fetch_k: how many to choose from; taken as k where it is less.
            lambda_mult: in [0, 1]; 1 looks at nearness only, 0 at diversity only.
            filter: conditions on metadata; applied before ranking.
            **kwargs: none are known.
        """
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, filter=filter, **kwargs)

    async def amax_marginal_relevance_search(
        self,
        query: str,
        k: int = DEFAULT_K,
        fetch_k: int = DEFAULT_FETCH_K,
        lambda_mult: float = DEFAULT_LAMBDA,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k diverse passages, without blocking; see `max_marginal_relevance_search`."""
        vector = await self._embedding.aembed_query(query)
        return await self.amax_marginal_relevance_search_by_vector(
            vector, k, fetch_k, lambda_mult, filter=filter, **kwargs
        )

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = DEFAULT_K,
        fetch_k: int = DEFAULT_FETCH_K,
        lambda_mult: float = DEFAULT_LAMBDA,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k diverse passages near a vector; see `max_marginal_relevance_search`."""
        _refuse(kwargs)
        if not 0.0 <= lambda_mult <= 1.0:
            raise ConfigurationError(f"lambda_mult is {lambda_mult!r}; it must be a number in [0, 1]")
        return self.collection.diverse(
            as_matrix([embedding])[0],
            k=require_k(k),
            fetch_k=require_k(fetch_k, name="fetch_k"),
            lambda_mult=lambda_mult,
            wanted=filter,
        )

    async def amax_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = DEFAULT_K,
        fetch_k: int = DEFAULT_FETCH_K,
        lambda_mult: float = DEFAULT_LAMBDA,
        *,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k diverse passages near a vector, without blocking."""
        search = self.max_marginal_relevance_search_by_vector
        return await asyncio.to_thread(search, embedding, k, fetch_k, lambda_mult, filter=filter, **kwargs)

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the passages with these ids that exist, in the order of the ids."""
        return self.collection.get(ids)

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the passages with these ids that exist, without blocking."""
        return await asyncio.to_thread(self.collection.get, ids)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda score: relevance(score, self.collection.metric)


def require_search_type(search_type: str) -> str:
    """Return the search type, or raise a ConfigurationError that lists the known ones."""
    if search_type not in SEARCH_TYPES:
        raise ConfigurationError(f"unknown search_type {search_type!r}; known are {', '.join(SEARCH_TYPES)}")
    return search_type


def _documents(hits: Hits) -> list[Document]:
    return [document for document, _ in hits]


def _refuse(kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise ConfigurationError(f"unknown search arguments {', '.join(map(repr, kwargs))}; known are 'k' and 'filter'")
