from __future__ import annotations

import asyncio
import json
import threading
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from automix_graph.config import DEFAULT_K
from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import SEARCH_TYPES, FaissStore
from automix_graph.retrieval.metrics import METRICS
from automix_graph.testing.embeddings import HashEmbeddings

WORDS = ["otter", "owl", "panda", "river", "night", "竹子"]
IDS = st.sampled_from("abcdef")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("a'\"\\键\0\n"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text('a"键', max_size=2), inner, max_size=2),
    max_leaves=4,
)
METADATA = st.dictionaries(st.text('ab"键', max_size=3), VALUES, max_size=3)


class Table(Embeddings):
    """Embeds texts by a table, so that a test knows the vectors."""

    def __init__(self, **vectors: list[float]) -> None:
        self.vectors = vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.vectors[text]


class StoreMachine(RuleBasedStateMachine):
    """The store against a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = HashEmbeddings(16)
        self.store = FaissStore(self.embedding)
        self.model: dict[str, Document] = {}

    def teardown(self) -> None:
        self.store.close()

    @rule(batch=st.lists(st.tuples(IDS, TEXTS, METADATA), max_size=4))
    def add(self, batch: list[tuple[str, str, dict[str, Any]]]) -> None:
        documents = [Document(id=id_, page_content=text, metadata=metadata) for id_, text, metadata in batch]
        assert self.store.add_documents(documents) == [id_ for id_, _, _ in batch]
        self.model |= {id_: document for (id_, _, _), document in zip(batch, documents, strict=True)}

    @rule(ids=st.lists(IDS, max_size=3))
    def delete(self, ids: list[str]) -> None:
        self.store.delete(ids)
        for id_ in ids:
            self.model.pop(id_, None)

    @invariant()
    def holds_the_same(self) -> None:
        assert len(self.store) == len(self.model)
        assert {document.id: document for document in self.store.get_by_ids(list("abcdef"))} == self.model

    @rule(query=st.sampled_from(WORDS))
    def finds_by_words(self, query: str) -> None:
        expected = {id_ for id_, document in self.model.items() if query in document.page_content}
        assert {document.id for document in self.store.search(query, "bm25", k=9)} == expected

    @rule(query=TEXTS, k=st.integers(1, 7))
    def finds_by_vectors(self, query: str, k: int) -> None:
        wanted = np.array(self.embedding.embed_query(query))
        scores = {
            id_: float(np.array(self.embedding.embed_query(document.page_content)) @ wanted)
            for id_, document in self.model.items()
        }
        found = self.store.similarity_search_with_score(query, k=k)
        assert [score for _, score in found] == pytest.approx(sorted(scores.values(), reverse=True)[:k], abs=1e-5)
        assert all(score == pytest.approx(scores[document.id or ""], abs=1e-5) for document, score in found)


StoreMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestStoreMachine = StoreMachine.TestCase


# Ids


def test_the_last_of_equal_ids_wins(store: FaissStore) -> None:
    assert store.add_texts(["first", "second"], [{"n": 1}, {"n": 2}], ids=["x", "x"]) == ["x", "x"]
    assert store.get_by_ids(["x"]) == [Document(id="x", page_content="second", metadata={"n": 2})]
    assert store.search("first", "bm25") == []
    assert len(store) == 1


def test_ids_of_the_call_go_before_ids_of_documents(store: FaissStore) -> None:
    documents = [Document(id="mine", page_content="x"), Document(page_content="y")]
    assert store.add_documents(documents, ids=["a", "b"]) == ["a", "b"]
    ids = store.add_documents(documents)
    assert ids[0] == "mine"
    assert uuid.UUID(ids[1])


def test_deletes_all(store: FaissStore) -> None:
    store.add_texts(["x", "y"])
    assert store.delete() is True
    assert len(store) == 0
    assert [store.search("x", kind) for kind in ("hybrid", "similarity", "bm25", "mmr")] == [[]] * 4
    store.add_texts(["z"])
    assert len(store.similarity_search("z")) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda store: store.add_texts(["x"], ids=["a", "b"]), "2 ids for 1 texts"),
        (lambda store: store.add_texts(["x"], [{}, {}]), "2 metadatas for 1 texts"),
        (lambda store: store.add_documents([Document(page_content="x")], ids=[]), "0 ids for 1 documents"),
        (lambda store: store.add_texts("abc"), "must be a list of strings"),
        (lambda store: store.delete("abc"), "must be a list of ids"),
        (lambda store: store.add_texts(["x"], colour="red"), "'colour'"),
        (lambda store: store.delete([], colour="red"), "'colour'"),
    ],
)
def test_refuses_wrong_arguments(store: FaissStore, call: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        call(store)
    assert len(store) == 0


# Metadata


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"when": Path("a")}, r"metadata\['when'\].*Path"),
        ({"deep": [{"x": {1}}]}, r"metadata\['deep'\]\[0\]\['x'\].*set"),
        ({"pair": (1, 2)}, r"\['pair'\].*tuple"),
        ({"nan": float("nan")}, r"\['nan'\] .*nan"),
        ({"map": {1: 2}}, r"key 1"),
        ({"text": "\ud800"}, r"surrogate"),
    ],
)
def test_refuses_metadata_that_json_cannot_hold(store: FaissStore, metadata: dict[str, Any], message: str) -> None:
    documents = [Document(page_content="fine"), Document(page_content="wrong", metadata=metadata)]
    with pytest.raises(StoreError, match=message):
        store.add_documents(documents)
    assert len(store) == 0


def test_refuses_text_that_utf8_cannot_hold(store: FaissStore) -> None:
    with pytest.raises(StoreError, match="surrogate"):
        store.add_texts(["a\ud800"])
    with pytest.raises(StoreError, match="surrogate"):
        store.add_texts(["a"], ids=["\ud800"])


# Vectors and scores


def test_scores_of_each_metric() -> None:
    table = Table(a=[3.0, 4.0], b=[0.0, 2.0], q=[0.0, 1.0], zero=[0.0, 0.0])
    expected = {
        "cosine": [("b", 1.0), ("a", 0.8), ("zero", 0.0)],
        "inner_product": [("a", 4.0), ("b", 2.0), ("zero", 0.0)],
        "l2": [("b", 1.0), ("zero", 1.0), ("a", np.sqrt(18.0))],
    }
    for metric, hits in expected.items():
        with FaissStore.from_texts(["a", "b", "zero"], table, ids=["a", "b", "zero"], metric=metric) as store:
            found = store.similarity_search_with_score("q", k=9)
            assert [document.id for document, _ in found] == [id_ for id_, _ in hits], metric
            assert [score for _, score in found] == pytest.approx([score for _, score in hits]), metric
            json.dumps([score for _, score in found])


@pytest.mark.parametrize("metric", METRICS)
def test_relevance_is_in_the_unit_interval_and_in_order(metric: Any) -> None:
    random = np.random.default_rng(0)
    vectors = {f"t{n}": list(map(float, random.normal(scale=30, size=4))) for n in range(50)}
    with FaissStore.from_texts(list(vectors), Table(**vectors), metric=metric) as store:
        plain = store.similarity_search("t0", k=50)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scored = store.similarity_search_with_relevance_scores("t0", k=50)
    scores = [score for _, score in scored]
    assert [document.id for document, _ in scored] == [document.id for document in plain]
    assert scores == sorted(scores, reverse=True)
    assert 0.0 <= scores[-1] < scores[0] <= 1.0


def test_a_zero_query_finds_something(store: FaissStore) -> None:
    store.add_texts(["x", "y"], ids=["x", "y"])
    assert [(document.id, score) for document, score in store.similarity_search_with_score("?!", k=2)] == [
        ("x", 0.0),
        ("y", 0.0),
    ]


def test_huge_and_tiny_vectors_are_compared_by_angle() -> None:
    table = Table(big=[3e38, 3e38], tiny=[1e-30, 0.0], q=[1.0, 1.0])
    with FaissStore.from_texts(["big", "tiny"], table) as store:
        scores = [score for _, score in store.similarity_search_with_score("q")]
    assert scores == pytest.approx([1.0, np.sqrt(0.5)])


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


class Fragile(HashEmbeddings):
    """Fails on the text "bad"."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if "bad" in texts:
            raise ConnectionError("the provider is down")
        return super().embed_documents(texts)


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


# Searching


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


async def test_async_methods_agree_with_sync_ones(store: FaissStore) -> None:
    await store.aadd_documents([Document(id=word, page_content=f"the {word} here") for word in WORDS])
    for search_type in SEARCH_TYPES:
        found = store.search("owl at night", search_type, k=3)
        assert await store.asearch("owl at night", search_type, k=3) == found
        assert len(found) == (2 if search_type == "bm25" else 3)
    vector = HashEmbeddings().embed_query("owl")
    assert await store.asimilarity_search_by_vector(vector, 2) == store.similarity_search_by_vector(vector, 2)
    assert await store.amax_marginal_relevance_search_by_vector(vector, 2) == (
        store.max_marginal_relevance_search_by_vector(vector, 2)
    )
    assert await store.asimilarity_search_with_relevance_scores("owl", 2) == (
        store.similarity_search_with_relevance_scores("owl", 2)
    )
    made = await FaissStore.afrom_documents(store.get_by_ids(WORDS), HashEmbeddings())
    with made:
        assert made.search("owl", "hybrid") == store.search("owl", "hybrid")
    assert await store.adelete(["owl"])
    assert await store.aget_by_ids(["owl"]) == []


async def test_the_event_loop_runs_on_while_the_store_is_busy(store: FaissStore) -> None:
    store.add_texts(["x"])
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.collection._lock.writing():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    await asyncio.to_thread(entered.wait, 10)
    calls = [
        asyncio.create_task(call)
        for call in (store.asimilarity_search("x"), store.aadd_texts(["y"], ids=["y"]), store.aget_by_ids(["y"]))
    ]
    await asyncio.sleep(0.05)  # would never return if a call blocked the loop
    assert not any(call.done() for call in calls)
    leave.set()
    await asyncio.wait_for(asyncio.gather(*calls), 10)
    thread.join()


# Retriever


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


# Closing


def test_a_closed_store_says_so(store: FaissStore) -> None:
    store.add_texts(["x"])
    store.close()
    store.close()
    for call in (lambda: store.similarity_search("x"), lambda: store.add_texts(["y"]), lambda: len(store)):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_leaves_no_files_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = FaissStore.from_texts(["x"], HashEmbeddings())
    assert list(tmp_path.iterdir())
    store.close()
    assert not list(tmp_path.iterdir())
    store = FaissStore.from_texts(["x"], HashEmbeddings())
    del store  # without close
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConnectionError):
        FaissStore.from_texts(["bad"], Fragile())
    assert not list(tmp_path.iterdir())


def test_an_empty_store_is_true(store: FaissStore) -> None:
    assert store
    assert len(store) == 0
