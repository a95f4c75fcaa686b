"""A LangChain retriever over a store, with the search types that the store adds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStoreRetriever

from automix_graph.config import DEFAULT_K
from automix_graph.retrieval.searching import SEARCH_TYPES


class StoreRetriever(VectorStoreRetriever):
    """Retrieve passages of a `FaissStore`.

    Attributes:
        search_type: one of ``"hybrid"``, ``"similarity"``, ``"bm25"``, ``"mmr"``, ``"similarity_score_threshold"``.
        k: how many passages, unless ``search_kwargs`` or the call says otherwise.
        search_kwargs: arguments of the search, such as ``{"k": 8, "filter": {"source": "a.md"}}``.

    Example:
        >>> from automix_graph.retrieval import FaissStore
        >>> from automix_graph.testing.embeddings import HashEmbeddings
        >>> with FaissStore.from_texts(["Otters hold hands.", "Owls fly."], HashEmbeddings()) as store:
        ...     [document.page_content for document in store.as_retriever(k=1).invoke("Which birds fly? Owls?")]
        ['Owls fly.']
    """

    search_type: str = "hybrid"
    k: int = DEFAULT_K

    allowed_search_types: ClassVar[Collection[str]] = SEARCH_TYPES

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return self.vectorstore.search(query, self.search_type, **self._arguments(kwargs))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return await self.vectorstore.asearch(query, self.search_type, **self._arguments(kwargs))

    def _arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"k": self.k} | self.search_kwargs | kwargs
