"""When a store builds an index, and when it keeps the one that it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from seeded_store import Seeded, filled

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval import FaissStore, IndexPlan, index_paths
from automix_graph.retrieval.manifest import Manifest
from automix_graph.retrieval.plan import FLAT_BELOW


def index_files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("index-*")}


def test_a_small_change_keeps_the_index_and_a_large_one_builds_it_again(tmp_path: Path) -> None:
    with filled("hnsw", 400) as store:
        store.save(tmp_path)
        assert index_files(tmp_path) == {"index-000001.faiss"}
    with FaissStore.open(tmp_path, Seeded()) as store:
        store.add_texts([str(1000 + n) for n in range(10)])
        store.delete([str(n) for n in range(10)])
        store.save()
        assert index_files(tmp_path) == {"index-000001.faiss"}
        store.add_texts([str(2000 + n) for n in range(30)])
        store.save(build_index=False)
        assert index_files(tmp_path) == {"index-000001.faiss"}
        assert store.similarity_search("2003", k=1)[0].page_content == "2003"
    with FaissStore.open(tmp_path, Seeded()) as store:
        assert store.similarity_search("3", k=1)[0].page_content != "3", "deleted before the index was kept"
        assert store.similarity_search("2003", k=1)[0].page_content == "2003"
        store.save()
        assert index_files(tmp_path) == {"index-000004.faiss"}
        assert store.index is not None
        assert store.index.count == 430


def test_an_index_of_another_store_is_not_kept(tmp_path: Path) -> None:
    with filled("hnsw", 300) as store:
        store.save(tmp_path)
    numbers = [str(5000 + n) for n in range(300)]
    with FaissStore.from_texts(numbers, Seeded(), index_type="hnsw") as other:
        other.save(tmp_path)
        assert index_files(tmp_path) == {"index-000002.faiss"}
        assert other.similarity_search("5007", k=1)[0].page_content == "5007"


def test_without_an_index_nothing_but_vectors_is_written(tmp_path: Path) -> None:
    with filled("hnsw", 100) as store:
        store.save(tmp_path / "a", build_index=False)
        assert (store.index, index_files(tmp_path / "a")) == (None, set())
    with FaissStore(Seeded(), index_type="ivf") as empty:
        empty.save(tmp_path / "b")
        assert index_files(tmp_path / "b") == set()


def test_the_rule_of_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert IndexPlan().type_for(FLAT_BELOW - 1) == "flat"
    assert IndexPlan().type_for(FLAT_BELOW) == "ivf_sq8"
    assert IndexPlan(recall_target=1.0).type_for(10**7) == "flat"
    assert IndexPlan(index_type="hnsw", recall_target=1.0).type_for(1) == "hnsw"
    monkeypatch.setattr("automix_graph.retrieval.plan.FLAT_BELOW", 200)
    with filled("auto", 199) as store:
        store.save(tmp_path)
        assert store.index is None
        store.add_texts(["199"])
        store.save()
        assert store.index is not None
        assert store.index.type == "ivf_sq8"


def test_the_plan_is_saved_and_can_be_changed(tmp_path: Path) -> None:
    with filled("ivf", 100, recall_target=0.8) as store:
        store.save(tmp_path)
    with FaissStore.open(tmp_path, Seeded()) as store:
        assert store.index_plan == IndexPlan(index_type="ivf", recall_target=0.8)
        store.index_plan = IndexPlan(index_type="flat")
        store.save()
        assert index_files(tmp_path) == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index_type": "annoy"}, "unknown index_type 'annoy'; known are auto, flat, hnsw"),
        ({"recall_target": 0.0}, r"recall_target is 0\.0"),
        ({"recall_target": 1.5}, r"recall_target is 1\.5"),
        ({"recall_target": "high"}, "recall_target is 'high'"),
    ],
)
def test_refuses_a_wrong_plan(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FaissStore(Seeded(), **options)


def test_indexing_files_takes_a_plan(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"text": str(number)}) + "\n" for number in range(50))
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    out = tmp_path / "index"
    for plan, kind in ((IndexPlan(index_type="hnsw"), "hnsw"), (None, "hnsw"), (IndexPlan(index_type="flat"), None)):
        index_paths([tmp_path / "rows.jsonl"], out, Seeded(), plan=plan)
        index = Manifest.read(out).index
        assert (None if index is None else index.tuned.type) == kind
