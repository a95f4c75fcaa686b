"""Vectors that a store cannot take, or does not get, change nothing in it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from scripted_embeddings import Fragile, Table

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings


@pytest.mark.parametrize("bad", [[float("nan"), 1.0], [float("inf"), 1.0], [], [[1.0], [2.0]]])
def test_refuses_bad_vectors(bad: Any) -> None:
    with FaissStore(Table(good=[1.0, 0.0], bad=bad)) as store:
        store.add_texts(["good"])
        with pytest.raises(StoreError):
            store.add_texts(["good", "bad"])
        with pytest.raises(StoreError):
            store.similarity_search("bad")
        assert len(store) == 1


def test_refuses_another_dimension() -> None:
    with FaissStore(Table(two=[1.0, 0.0], three=[1.0, 0.0, 0.0])) as store:
        store.add_texts(["two"])
        for call in (store.add_texts, lambda texts: store.similarity_search(texts[0])):
            with pytest.raises(StoreError, match="dimension 3 do not fit a store of dimension 2"):
                call(["three"])
        with pytest.raises(StoreError, match="dimension 3"):
            store.similarity_search_by_vector([1.0, 0.0, 0.0])
        assert len(store) == 1


class Short(HashEmbeddings):
    """Gives one vector less than asked for."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return super().embed_documents(texts)[1:]


async def test_changes_nothing_when_embedding_fails() -> None:
    with FaissStore(Fragile()) as store:
        store.add_texts(["old"], ids=["a"])
        texts = ["new", *(f"text {n}" for n in range(200)), "bad"]
        ids = ["a", *map(str, range(201))]
        with pytest.raises(ConnectionError):
            store.add_texts(texts, ids=ids)
        with pytest.raises(ConnectionError):
            await store.aadd_texts(texts, ids=ids)
        assert store.similarity_search("new", k=9) == [Document(id="a", page_content="old")]
    with FaissStore(Short()) as store, pytest.raises(StoreError, match="2 vectors for 3 texts"):
        store.add_texts(["x", "y", "z"])


def test_changes_nothing_when_the_index_fails(store: FaissStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add_texts(["old"], ids=["a"])
    index = store.collection._index
    add = index.add

    def add_then_fail(*arguments: Any) -> None:
        add(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(index, "add", add_then_fail)
        store.add_texts(["new"], ids=["a"])
    for search_type in ("hybrid", "similarity", "mmr"):
        assert store.search("new old", search_type, k=9) == [Document(id="a", page_content="old")]
    assert len(index) == 1
