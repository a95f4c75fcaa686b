"""A LangChain retriever over a store, with the search types that the store adds and a second look at what they find."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, Final

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.vectorstores import VectorStoreRetriever

from automix_graph.config import DEFAULT_K
from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.searching import SEARCH_TYPES

Reranker = BaseDocumentCompressor | Callable[[str, list[Document]], Sequence[Document]]
"""Given the query and passages, returns those to keep, best first: a LangChain compressor, or any function."""

DEFAULT_RERANK_FROM: Final = 20
"""Passages that a reranker chooses from."""


class StoreRetriever(VectorStoreRetriever):
    """Retrieve passages of a `FaissStore`.

    Attributes:
        search_type: one of ``"hybrid"``, ``"similarity"``, ``"bm25"``, ``"mmr"``, ``"similarity_score_threshold"``.
        k: how many passages, unless ``search_kwargs`` or the call says otherwise.
        search_kwargs: arguments of the search, such as ``{"k": 8, "filter": {"source": "a.md"}}``.
        reranker: orders what the search finds, of which the first k are returned; None keeps the order of the search.
        rerank_from: passages that the reranker sees; taken as k where it is less.

    Example:
        >>> from automix_graph.retrieval import FaissStore
        >>> from automix_graph.testing.embeddings import HashEmbeddings
        >>> with FaissStore.from_texts(["Otters hold hands.", "Owls fly."], HashEmbeddings()) as store:
        ...     [document.page_content for document in store.as_retriever(k=1).invoke("Which birds fly? Owls?")]
        ['Owls fly.']
    """

    search_type: str = "hybrid"
    k: int = DEFAULT_K
    reranker: Reranker | None = None
    rerank_from: int = DEFAULT_RERANK_FROM

    allowed_search_types: ClassVar[Collection[str]] = SEARCH_TYPES

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        k, arguments = self._arguments(kwargs)
        found = self.vectorstore.search(query, self.search_type, **arguments)
        if self.reranker is None or not found:
            return found
        if isinstance(self.reranker, BaseDocumentCompressor):
            ranked = self.reranker.compress_documents(found, query, callbacks=run_manager.get_child())
        else:
            ranked = self.reranker(query, found)
        return _first(ranked, k)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        k, arguments = self._arguments(kwargs)
        found = await self.vectorstore.asearch(query, self.search_type, **arguments)
        if self.reranker is None or not found:
            return found
        if isinstance(self.reranker, BaseDocumentCompressor):
            ranked = await self.reranker.acompress_documents(found, query, callbacks=run_manager.get_child())
        else:
            ranked = await asyncio.to_thread(self.reranker, query, found)
        return _first(ranked, k)

    def _arguments(self, kwargs: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return how many passages are wanted, and the arguments of the search."""
        arguments = {"k": self.k} | self.search_kwargs | kwargs
        k: int = arguments["k"]
        if self.reranker is not None and isinstance(k, int):
            arguments["k"] = max(k, self.rerank_from)
        return k, arguments


def _first(ranked: Sequence[Document], k: int) -> list[Document]:
    documents = list(ranked)
    for document in documents:
        if not isinstance(document, Document):
            raise ConfigurationError(
                f"the reranker returned {document!r}, a {type(document).__name__}; it must return the documents to "
                "keep, best first",
                code="bad-retriever",
            )
    return documents[:k]
