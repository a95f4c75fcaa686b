"""The retriever that a store gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.documents import Document

from automix_graph.config import DEFAULT_K
from automix_graph.retrieval import SEARCH_TYPES, FaissStore


@pytest.fixture
def filled(store: FaissStore) -> Iterator[FaissStore]:
    store.add_texts(
        [f"word number {n}" for n in range(9)], [{"n": n} for n in range(9)], ids=[f"{n}" for n in range(9)]
    )
    yield store


def test_the_retriever_is_hybrid_and_gives_the_default_number(filled: FaissStore) -> None:
    retriever = filled.as_retriever()
    assert retriever.search_type == "hybrid"
    assert len(retriever.invoke("word")) == DEFAULT_K
    assert retriever.invoke("word 7")[0] == Document(id="7", page_content="word number 7", metadata={"n": 7})


@pytest.mark.parametrize("search_type", SEARCH_TYPES)
async def test_the_retriever_passes_k_and_filter(filled: FaissStore, search_type: str) -> None:
    arguments: dict[str, Any] = {"k": 2, "filter": {"n": {"$gte": 6}}}
    if search_type == "similarity_score_threshold":
        arguments["score_threshold"] = 0.1
    retriever = filled.as_retriever(search_type=search_type, search_kwargs=arguments)
    found = retriever.invoke("word number")
    assert await retriever.ainvoke("word number") == found
    assert len(found) == 2
    assert all(document.metadata["n"] >= 6 for document in found)
    assert len(retriever.invoke("word number", k=3)) == 3


def test_the_threshold_keeps_the_near_ones(filled: FaissStore) -> None:
    retriever = filled.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.99, "k": 9}
    )
    assert [document.id for document in retriever.invoke("word number 4")] == ["4"]
