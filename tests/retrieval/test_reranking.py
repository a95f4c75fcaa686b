"""The reranker of a retriever: any function, or a LangChain document compressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import Field

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.retriever import DEFAULT_RERANK_FROM


def by_number(query: str, documents: list[Document]) -> list[Document]:
    return sorted(documents, key=lambda document: -document.metadata["n"])


class Halving(BaseDocumentCompressor):
    """Keeps the passages with even numbers, and says how it was called."""

    calls: list[tuple[str, int]] = Field(default_factory=list)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        self.calls.append((query, len(documents)))
        return [document for document in documents if document.metadata["n"] % 2 == 0]


@pytest.fixture
def filled(store: FaissStore) -> FaissStore:
    store.add_texts([f"word number {n}" for n in range(40)], [{"n": n} for n in range(40)])
    return store


async def test_a_function_orders_what_was_found(filled: FaissStore) -> None:
    retriever = filled.as_retriever(reranker=by_number, rerank_from=40)
    for found in (retriever.invoke("word"), await retriever.ainvoke("word")):
        assert [document.metadata["n"] for document in found] == [39, 38, 37, 36]
    assert [document.metadata["n"] for document in retriever.invoke("word", k=2)] == [39, 38]


async def test_a_compressor_may_keep_fewer(filled: FaissStore) -> None:
    reranker = Halving()
    retriever = filled.as_retriever(
        reranker=reranker, search_type="similarity", search_kwargs={"filter": {"n": {"$lt": 4}}}
    )
    for found in (retriever.invoke("word"), await retriever.ainvoke("word")):
        assert sorted(document.metadata["n"] for document in found) == [0, 2]
    assert reranker.calls == [("word", 4)] * 2


@pytest.mark.parametrize(("k", "rerank_from", "seen"), [(4, DEFAULT_RERANK_FROM, 20), (30, 20, 30), (4, 7, 7)])
def test_it_sees_at_least_as_many_as_are_wanted(filled: FaissStore, k: int, rerank_from: int, seen: int) -> None:
    counts: list[int] = []

    def count(query: str, documents: list[Document]) -> list[Document]:
        counts.append(len(documents))
        return documents

    assert len(filled.as_retriever(k=k, reranker=count, rerank_from=rerank_from).invoke("word")) == k
    assert counts == [seen]


def test_it_is_not_called_for_nothing(store: FaissStore) -> None:
    def never(query: str, documents: list[Document]) -> list[Document]:
        raise AssertionError

    assert store.as_retriever(reranker=never).invoke("word") == []


@pytest.mark.parametrize("wrong", [["text"], [("document", 0.5)]])
def test_refuses_what_is_no_document(filled: FaissStore, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="the reranker returned"):
        filled.as_retriever(reranker=lambda query, documents: wrong).invoke("word")
