"""The types of search: what each of them finds, and the arguments that they take."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_embeddings import Table

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings


@pytest.mark.parametrize("k", [0, -1, 1.5, True, None])
def test_refuses_a_k_below_one(store: FaissStore, k: Any) -> None:
    store.add_texts(["x"])
    for search_type in ("hybrid", "similarity", "bm25", "mmr"):
        with pytest.raises(ConfigurationError, match=f"k is {k!r}"):
            store.search("x", search_type, k=k)


def test_a_large_k_gives_all(store: FaissStore) -> None:
    store.add_texts([f"word {n}" for n in range(60)])
    for search_type in ("hybrid", "similarity", "bm25", "mmr"):
        assert len(store.search("word", search_type, k=10**6)) == 60


def test_refuses_unknown_arguments_and_types(store: FaissStore) -> None:
    for call in (store.similarity_search, store.max_marginal_relevance_search):
        with pytest.raises(ConfigurationError, match="'colour'"):
            call("x", colour="red")
    with pytest.raises(ConfigurationError, match=r"unknown search_type 'magic'.*hybrid"):
        store.search("x", "magic")
    with pytest.raises(ConfigurationError, match=r"unknown search_type 'magic'.*hybrid"):
        store.as_retriever(search_type="magic")
    with pytest.raises(ConfigurationError, match=r"unknown metric 'manhattan'.*cosine"):
        FaissStore(HashEmbeddings(), metric="manhattan")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="lambda_mult is 2"):
        store.max_marginal_relevance_search("x", lambda_mult=2)


def test_hybrid_takes_from_both_lists() -> None:
    table = Table(**{"xylophone music": [0.0, 1.0], "near": [1.0, 0.0], "else": [0.6, 0.8], "xylophone": [1.0, 0.0]})
    with FaissStore.from_texts(["else", "xylophone music", "near"], table, ids=["else", "words", "vector"]) as store:
        found = [document.id for document in store.search("xylophone", "hybrid", k=2)]
        assert sorted(str(id_) for id_ in found) == ["vector", "words"]
        assert len(store.search("xylophone", "hybrid", k=3)) == 3


class English(Table):
    """Says what it was trained for."""

    languages = ("en",)


def test_a_model_that_does_not_know_the_language_only_fills_up() -> None:
    vectors = {
        "水獭": [0.0, 1.0],
        "水獭在河里睡觉": [0.9, 0.1],
        "x": [0.8, 0.2],
        "水獭呢": [1.0, 0.0],
        "otter": [1.0, 0.0],
    }
    found = {}
    for model in (Table, English):
        with FaissStore.from_texts(["水獭", "水獭在河里睡觉", "x"], model(**vectors)) as store:
            found[model] = [document.page_content for document in store.search("水獭呢", "hybrid", k=3)]
            assert store.search("otter", "hybrid", k=1)[0].page_content == "水獭在河里睡觉", "no word finds it"
    assert found[English] == ["水獭", "水獭在河里睡觉", "x"]
    assert found[Table] == ["水獭在河里睡觉", "水獭", "x"]


def test_mmr_avoids_repetition() -> None:
    table = Table(a=[1.0, 0.1], a2=[1.0, 0.11], b=[0.8, -0.6], q=[1.0, 0.0])
    with FaissStore.from_texts(["a", "a2", "b"], table, ids=["a", "a2", "b"]) as store:
        assert [document.id for document in store.search("q", "mmr", k=2)] == ["a", "b"]
        assert [document.id for document in store.search("q", "mmr", k=2, lambda_mult=1.0)] == ["a", "a2"]
