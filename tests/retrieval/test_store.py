"""A store holds what a dictionary would hold, and refuses what it cannot hold."""

from __future__ import annotations

import asyncio
import threading
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from langchain_core.documents import Document
from scripted_embeddings import Fragile

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import SEARCH_TYPES, FaissStore
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


@pytest.mark.parametrize("others", [[], [str(n) for n in range(100)]], ids=["few", "many"])
def test_an_id_does_not_end_at_a_nul(store: FaissStore, others: list[str]) -> None:
    store.add_texts(["first"], ids=["a"])
    store.add_texts(["second", *others], ids=["a\0x", *others])
    assert [document.id for document in store.get_by_ids(["a\0x", *others, "a\0y", "a"])] == ["a\0x", *others, "a"]
    store.delete(["a\0y", *others])
    assert {document.id for document in store.similarity_search("x", k=999)} == {"a", "a\0x"}
    store.delete(["a\0x", *others])
    assert [document.page_content for document in store.similarity_search("x", k=999)] == ["first"]


def test_an_id_that_no_store_can_have_is_unknown(store: FaissStore) -> None:
    store.add_texts(["x"], ids=["a"])
    assert [document.id for document in store.get_by_ids(["\ud800", "a"])] == ["a"]
    store.delete(["\ud800"])
    assert len(store) == 1


# Metadata


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_keeps_the_deepest_metadata_that_it_takes(store: FaissStore) -> None:
    store.add_texts(["x"], [{"deep": nested(63), "n": 1}], ids=["x"])
    (found,) = store.similarity_search("x", filter={"n": 1})
    assert found.metadata == {"deep": nested(63), "n": 1}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"when": Path("a")}, r"metadata\['when'\].*Path"),
        ({"deep": [{"x": {1}}]}, r"metadata\['deep'\]\[0\]\['x'\].*set"),
        ({"pair": (1, 2)}, r"\['pair'\].*tuple"),
        ({"nan": float("nan")}, r"\['nan'\] .*nan"),
        ({"map": {1: 2}}, r"key 1"),
        ({"text": "\ud800"}, r"surrogate"),
        ({"deep": nested(64)}, r"more than 64 levels"),
        ({"deep": nested(5_000)}, r"more than 64 levels"),
        ({"long": 10**5_000}, r"4300 digits"),
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


# Asynchronously


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
