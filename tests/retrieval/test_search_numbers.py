"""Searches that answer with numbers find what searches for documents find."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import FaissStore, vectors
from automix_graph.retrieval.comparing import rescored
from automix_graph.retrieval.connections import POOL_SIZE, ReaderPool
from automix_graph.retrieval.plan import IndexChoice
from automix_graph.testing.embeddings import HashEmbeddings

EMBEDDING = HashEmbeddings(16)
TEXTS = [f"word{n % 7} word{n % 11} word{n % 13}" for n in range(300)]
QUERIES = [EMBEDDING.embed_query(text) for text in TEXTS[:5]]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf", "ivf_sq8"])
def test_finds_what_searches_for_documents_find(tmp_path: Path, kind: IndexChoice) -> None:
    with FaissStore(EMBEDDING, index_type=kind) as store:
        store.add_texts(TEXTS, [{"row": row} for row in range(300)])
        store.save(tmp_path)
        store.delete([document.id for document in store.get_by_numbers([3, 4, 5])])
        for wanted in (None, {"row": {"$lt": 40}}):
            found = store.search_numbers(QUERIES, k=6, filter=wanted)
            assert found.numbers.shape == found.scores.shape == (5, 6)
            alone = store.search_numbers(QUERIES[:1], k=6, filter=wanted)
            assert alone.scores[0].tolist() == pytest.approx(found.scores[0].tolist(), abs=1e-6)
            for numbers, scores, hits in zip(
                found.numbers, found.scores, store.search_vectors(QUERIES, k=6, filter=wanted), strict=True
            ):
                # What is equally near may come in another order: an index adds up the products of a vector otherwise.
                assert scores.tolist() == pytest.approx([score for _, score in hits], abs=1e-6)
                near = {document.metadata["row"] + 1 for document, score in hits if score > scores[-1] + 1e-6}
                assert near <= set(numbers.tolist())
                read = store.get_by_numbers(numbers)
                assert [document.metadata["row"] + 1 for document in read] == numbers.tolist()
                if kind in ("flat", "ivf_sq8"):
                    assert read == [document for document, _ in hits]


@pytest.mark.parametrize(("kind", "expected"), [("hnsw", [0, 1]), ("ivf", [0, 1]), ("ivf_sq8", [1, 1])])
def test_only_a_blurred_index_has_numbers_scored_by_their_vectors(
    tmp_path: Path, kind: IndexChoice, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(vectors, "rescored", lambda *given: calls.append(1) or rescored(*given))
    with FaissStore(EMBEDDING, index_type=kind) as store:
        store.add_texts(TEXTS)
        store.save(tmp_path)
        counts = []
        for search in (store.search_numbers, store.search_vectors):
            calls.clear()
            search(QUERIES[:1], k=3)
            counts.append(len(calls))
    assert counts == expected


def test_fewer_passages_than_wanted_and_none(tmp_path: Path) -> None:
    with FaissStore(EMBEDDING) as store:
        assert store.search_numbers(QUERIES, k=3).numbers.shape == (5, 0)
        assert store.search_numbers(np.empty((0, 16)), k=3).numbers.shape == (0, 0)
        store.add_texts(["word1", "word2"], [{"n": 1}, {"n": 2}])
        assert store.search_numbers(QUERIES, k=3).numbers.shape == (5, 2)
        assert store.search_numbers(QUERIES, k=3, filter={"n": 2}).numbers.tolist() == [[2]] * 5
        assert store.search_numbers(QUERIES, k=3, filter={"n": 9}).numbers.shape == (5, 0)
        with pytest.raises(ConfigurationError, match="k is 0"):
            store.search_numbers(QUERIES, k=0)
        with pytest.raises(StoreError, match="dimension 3"):
            store.search_numbers([[1.0, 2.0, 3.0]])


def test_numbers_are_never_given_again(tmp_path: Path) -> None:
    with FaissStore(EMBEDDING) as store:
        store.add_texts(["one", "two"], ids=["a", "b"])
        store.add_texts(["three"], ids=["b"])
        assert [document.page_content for document in store.get_by_numbers([3, 1, 2, 3, -1])] == [
            "three",
            "one",
            "three",
        ]
        assert store.get_by_numbers(np.array([2])) == store.get_by_numbers([]) == []


def test_a_damaged_passage_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    with FaissStore(EMBEDDING) as store:
        store.add_texts(["word1", "word2"])
        store.save(tmp_path)
    connection = sqlite3.connect(tmp_path / "passages-000001.sqlite")
    connection.execute("UPDATE passages SET metadata = '{\"a\":1}' WHERE number = 2")
    connection.commit()
    connection.close()
    with FaissStore.open(tmp_path, EMBEDDING, verify=False) as store:
        assert sorted(store.search_numbers(QUERIES[:1], k=2).numbers[0].tolist()) == [1, 2]
        assert len(store.get_by_numbers([1])) == 1
        with pytest.raises(StoreError, match=r"\(number 2\) or its vector is damaged"):
            store.get_by_numbers([1, 2])


def test_the_connection_last_used_is_the_next_one(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "x.sqlite").close()
    pool = ReaderPool(tmp_path / "x.sqlite", immutable=False)
    with pool.reading() as first:
        pass
    with pool.reading() as again, pool.reading() as second:
        assert again is first
        assert second is not first
    borrowed = [pool.reading() for _ in range(POOL_SIZE)]
    assert len({id(context.__enter__()) for context in borrowed}) == POOL_SIZE
    for context in borrowed:
        context.__exit__(None, None, None)
    pool.close()
