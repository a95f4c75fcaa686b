"""Every type of index holds what a dictionary would hold, and gives exact scores."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from seeded_store import TYPES, Seeded, filled, vector

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.approximate import ApproximateIndex
from automix_graph.retrieval.manifest import Manifest
from automix_graph.retrieval.metrics import METRICS, Metric
from automix_graph.retrieval.plan import ApproximateType, IndexChoice
from automix_graph.retrieval.rows import PublishedRows, write_rows


def score(query: list[float], text: str, metric: Metric) -> float:
    """What the documentation of scores says, in Python."""
    a, b = np.array(query), np.array(vector(int(text)))
    match metric:
        case "cosine":
            return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        case "inner_product":
            return float(a @ b)
        case "l2":
            return float(np.linalg.norm(a - b))


class TypeMachine(RuleBasedStateMachine):
    """A store that is saved and opened again and again, against a dictionary from ids to texts."""

    @initialize(kind=st.sampled_from([*TYPES, "flat"]), metric=st.sampled_from(METRICS))
    def start(self, kind: IndexChoice, metric: Metric) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.metric = metric
        self.store = FaissStore(Seeded(), metric=metric, index_type=kind)
        self.model: dict[str, str] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(first=st.integers(0, 60), n=st.integers(1, 30), shift=st.integers(0, 3))
    def put(self, first: int, n: int, shift: int) -> None:
        ids = [str(number) for number in range(first, first + n)]
        texts = [str(number + shift) for number in range(first, first + n)]
        self.store.add_texts(texts, ids=ids)
        self.model |= dict(zip(ids, texts, strict=True))

    @rule(first=st.integers(0, 90), n=st.integers(1, 10))
    def delete(self, first: int, n: int) -> None:
        ids = [str(number) for number in range(first, first + n)]
        self.store.delete(ids)
        for id_ in ids:
            self.model.pop(id_, None)

    @rule(again=st.booleans(), build=st.booleans())
    def save(self, again: bool, build: bool) -> None:
        self.store.save(self.folder.name, build_index=build)
        if again:
            self.store.close()
            self.store = FaissStore.open(self.folder.name, Seeded())

    @rule(seed=st.integers(0, 100), k=st.integers(1, 100))
    def finds_only_what_is_there_with_its_own_score(self, seed: int, k: int) -> None:
        query = vector(seed)
        (found,) = self.store.search_vectors([query], k=k)
        assert len(found) == min(k, len(self.model))
        assert len({document.id for document, _ in found}) == len(found)
        for document, value in found:
            assert self.model[str(document.id)] == document.page_content
            assert value == pytest.approx(score(query, document.page_content, self.metric), abs=1e-4)
        values = [value if self.metric == "l2" else -value for _, value in found]
        assert values == sorted(values)

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "store"):
            assert len(self.store) == len(self.model)


TypeMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=14, deadline=None)
TestTypeMachine = TypeMachine.TestCase


# What is found


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", TYPES)
def test_reaches_the_recall_that_it_states(tmp_path: Path, kind: ApproximateType, metric: Metric) -> None:
    with filled(kind, 1500, metric=metric, recall_target=0.9) as store:
        exact = [{d.id for d, _ in hits} for hits in store.search_vectors([vector(10**6 + q) for q in range(50)], k=10)]
        store.save(tmp_path)
        assert store.index is not None
        assert store.index.type == kind
        assert store.index.recall >= 0.95  # half of what may be missed is kept for questions that find less
        hits = store.search_vectors([vector(10**6 + q) for q in range(50)], k=10)
    found = [len(wanted & {d.id for d, _ in got}) / 10 for wanted, got in zip(exact, hits, strict=True)]
    assert np.mean(found) >= 0.9
    assert Manifest.read(tmp_path).index is not None


@pytest.mark.parametrize("kind", TYPES)
def test_a_higher_target_takes_more_effort(tmp_path: Path, kind: ApproximateType) -> None:
    efforts = []
    for target in (0.5, 0.999):
        with filled(kind, 1500, recall_target=target) as store:
            store.save(tmp_path / str(target))
            assert store.index is not None
            efforts.append(store.index.effort)
    assert efforts[0] < efforts[1]


@pytest.mark.parametrize("limit", [20_000, 0])
@pytest.mark.parametrize("kind", [*TYPES, "flat"])
def test_a_filter_finds_the_rarest_match(
    tmp_path: Path, kind: IndexChoice, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automix_graph.retrieval.vectors.EXACT_UP_TO", limit)
    with filled(kind, 1000, recall_target=0.3) as store:
        store.save(tmp_path)
        for wanted in (0, 499, 999):
            far = [-x for x in vector(wanted)]
            found = store.similarity_search_by_vector(far, k=3, filter={"number": wanted})
            assert [document.page_content for document in found] == [str(wanted)]
        few = {"number": {"$in": [3, 77, 500, 998]}}
        ((*hits,),) = store.search_vectors([vector(5)], k=4, filter=few)
        expected = sorted((3, 77, 500, 998), key=lambda n: -score(vector(5), str(n), "cosine"))
        assert [document.page_content for document, _ in hits] == [str(n) for n in expected]
        (half,) = store.search_vectors([vector(5)], k=400, filter={"even": True})
        assert len(half) == 400
        assert all(document.metadata["even"] for document, _ in half)


@pytest.mark.parametrize("kind", TYPES)
def test_a_large_k_gives_all(tmp_path: Path, kind: ApproximateType) -> None:
    with filled(kind, 300, recall_target=0.3) as store:
        store.save(tmp_path)
        assert len(store.similarity_search("5", k=10**6)) == 300


async def test_a_batch_finds_what_single_searches_find(tmp_path: Path) -> None:
    with filled("ivf_sq8", 500) as store:
        store.save(tmp_path)
        store.add_texts(["7777"])
        queries = ["1", "20", "7777", "20"]
        for search_type in ("hybrid", "similarity", "bm25"):
            for wanted in (None, {"even": True}):
                single = [store.search_with_score(query, search_type, k=3, filter=wanted) for query in queries]
                batch = store.search_batch(queries, search_type, k=3, filter=wanted)
                assert [[d for d, _ in hits] for hits in batch] == [[d for d, _ in hits] for hits in single]
                assert await store.asearch_batch(queries, search_type, k=3, filter=wanted) == batch
        assert store.search_batch([]) == [] == await store.asearch_batch([])
        assert store.search_vectors([]) == []
        with pytest.raises(ConfigurationError, match="k is 0"):
            store.search_batch(["1"], k=0)


# Files


@pytest.mark.parametrize("kind", TYPES)
def test_an_index_knows_its_numbers(tmp_path: Path, kind: ApproximateType) -> None:
    with filled(kind, 120) as store:
        store.save(tmp_path)
        rows = PublishedRows.read(tmp_path / "vectors-000001.faiss", "cosine")
        built = ApproximateIndex.build(rows, kind, metric="cosine", recall_target=0.9)
        assert built._labels().tolist() == list(range(1, 121))


def test_an_index_of_nothing_and_the_index_of_another_store_are_refused(tmp_path: Path) -> None:
    with filled("ivf", 120) as store:
        store.save(tmp_path)
        (path,) = tmp_path.glob("index-*.faiss")
        assert store.index is not None
        for other in (dataclasses.replace(store.index, count=119), dataclasses.replace(store.index, type="hnsw")):
            with pytest.raises(StoreError, match=f"holds another index than '{other.type}' of {other.count} vectors"):
                ApproximateIndex.read(path, other)
    write_rows(tmp_path / "none", [], dimension=8, metric="cosine")
    with pytest.raises(StoreError, match="needs at least one vector; use the type 'flat'"):
        ApproximateIndex.build(
            PublishedRows.read(tmp_path / "none", "cosine"), "ivf", metric="cosine", recall_target=0.9
        )
