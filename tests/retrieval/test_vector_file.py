"""A file of vectors is what FAISS writes, and the same whether it is mapped or read piece by piece; searches too."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeded_store import DIMENSION, Seeded

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval import vector_file as module
from automix_graph.retrieval.comparing import best_of
from automix_graph.retrieval.faiss_library import faiss
from automix_graph.retrieval.metrics import METRICS, Metric
from automix_graph.retrieval.plan import IndexChoice
from automix_graph.retrieval.rows import GrowingRows, write_rows
from automix_graph.retrieval.vector_file import VectorFile
from automix_graph.testing.embeddings import HashEmbeddings

ROW_BYTES = 4 * DIMENSION


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, DIMENSION)).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path, rows: np.ndarray) -> Path:
    (tmp_path / "rows").write_bytes(b"head.." + rows.tobytes())
    return tmp_path / "rows"


@pytest.fixture(params=["mapped", "read", "no positional reads"])
def file(request: pytest.FixtureRequest, path: Path, monkeypatch: pytest.MonkeyPatch) -> VectorFile:
    if request.param != "mapped":
        monkeypatch.setattr(module, "MAPPED_UP_TO", 0)
    if request.param == "no positional reads":
        monkeypatch.setattr(module, "_READS_AT", False)
    monkeypatch.setattr(module, "BLOCK_BYTES", 7 * ROW_BYTES + 5)
    return VectorFile(path, offset=6, dimension=DIMENSION, count=50)


@pytest.mark.parametrize("metric", METRICS)
def test_writes_what_faiss_writes(tmp_path: Path, metric: Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(5000, 8)).astype(np.float32)
    numbers = np.arange(3, 5003)
    growing = GrowingRows(tmp_path / "growing", 8)
    growing.append(numbers, rows)
    growing.remove(np.array([0, 4500]))
    write_rows(tmp_path / "ours", [growing], dimension=8, metric=metric)
    growing.close()
    flat = faiss.IndexFlatL2(8) if metric == "l2" else faiss.IndexFlatIP(8)
    index = faiss.IndexIDMap(flat)
    index.add_with_ids(np.delete(rows, [0, 4500], axis=0), np.delete(numbers, [0, 4500]))
    faiss.write_index(index, str(tmp_path / "theirs"))
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_gives_all_rows(file: VectorFile, rows: np.ndarray) -> None:
    blocks = [(first, block.copy()) for first, block in file.blocks()]
    assert [first for first, _ in blocks] == list(range(0, 50, 7))
    assert np.array_equal(np.concatenate([block for _, block in blocks]), rows)
    assert np.array_equal(file.mapped, rows)
    file.resize(3)
    assert np.array_equal(file.mapped, rows[:3])
    assert [len(block) for _, block in file.blocks()] == [3]
    file.resize(0)
    assert (len(file.mapped), list(file.blocks())) == (0, [])
    file.close()


@pytest.mark.parametrize("positions", [[], [49], [0, 49], [3, 4, 5, 6], [6, 3, 3, 5], [40, 1, 20, 1]])
def test_gives_rows_at_positions(file: VectorFile, rows: np.ndarray, positions: list[int]) -> None:
    assert np.array_equal(file.at(np.array(positions, dtype=np.int64)), rows[positions])
    file.close()


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("positions", [[50], [0, -1], [49, 3, 51]])
def test_a_row_that_is_not_there_is_an_error(
    path: Path, positions: list[int], mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAPPED_UP_TO", 10**9 if mapped else 0)
    file = VectorFile(path, offset=6, dimension=DIMENSION, count=50)
    with pytest.raises(StoreError, match="has no row for a passage that the index knows"):
        file.at(np.array(positions))
    file.close()


def test_many_rows_are_read_in_pieces(path: Path, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAPPED_UP_TO", 0)
    monkeypatch.setattr(module, "JOINED", 3)
    file = VectorFile(path, offset=6, dimension=DIMENSION, count=50)
    positions = [49, 0, 20, 7, 7, 33, 1]
    assert np.array_equal(file.at(np.array(positions)), rows[positions])
    file.close()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="looks at mapped pages where Linux shows them")
def test_single_rows_of_a_large_file_do_not_fill_the_memory(tmp_path: Path) -> None:
    path, count = tmp_path / "large", module.MAPPED_UP_TO // ROW_BYTES + 1
    np.arange(count * DIMENSION, dtype=np.float32).tofile(path)
    file = VectorFile(path, offset=0, dimension=DIMENSION, count=count)

    def resident() -> int:
        of_file = Path("/proc/self/smaps").read_text(encoding="utf-8").split(f"{path}\n")[1]
        return int(of_file.split("Rss:")[1].split()[0]) * 1024

    for position in range(0, count, 1000):
        assert file.at(np.array([position, count - 1])).tolist()[0][0] == position * DIMENSION
    for _ in file.blocks():
        pass
    assert resident() == 0
    file.mapped.sum()
    assert resident() >= module.MAPPED_UP_TO
    file.close()


def test_a_file_that_was_cut_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAPPED_UP_TO", 0)
    file = VectorFile(path, offset=6, dimension=DIMENSION, count=50)
    os.truncate(path, path.stat().st_size - 1)
    for read in (lambda: file.at(np.array([0, 49])), lambda: file.at(np.array([48, 49])), lambda: list(file.blocks())):
        with pytest.raises(StoreError, match=r"rows' is shorter than it was"):
            read()
    assert len(file.at(np.array([0, 30]))) == 2
    file.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts the open files where Linux shows them")
def test_saving_again_and_again_opens_no_more_files(tmp_path: Path) -> None:
    with FaissStore(HashEmbeddings(DIMENSION), index_type="ivf_sq8") as store:
        counts = []
        for turn in range(6):
            store.add_texts([f"text {turn} {n}" for n in range(20)])
            store.save(tmp_path)
            store.similarity_search("text", k=3)
            counts.append(len(os.listdir("/proc/self/fd")))
        mapped = Path("/proc/self/maps").read_text(encoding="utf-8")
        assert counts[-1] == counts[1]
        assert f"{tmp_path}/vectors-000001.faiss" not in mapped


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 99)), min_size=1, max_size=20), st.integers(1, 20))
def test_best_of_keeps_the_best(hits: list[tuple[int, int]], k: int) -> None:
    scores = np.array([[score for score, _ in hits]], dtype=np.float32)
    numbers = np.array([[number for _, number in hits]])
    for metric, sign in (("l2", 1), ("cosine", -1)):
        got = best_of(scores, numbers, k, metric)
        assert got[0][0].tolist() == sorted(scores[0].tolist(), key=lambda score: sign * score)[:k]
        assert set(zip(got[0][0].tolist(), got[1][0].tolist(), strict=True)) <= set(hits)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf", "ivf_sq8"])
def test_searches_find_the_same_in_a_file_that_is_not_mapped(
    tmp_path: Path, kind: IndexChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [str(n) for n in range(600)]
    metadatas = [{"row": row} for row in range(600)]
    with FaissStore(Seeded(), index_type=kind) as store:
        store.add_texts(texts, metadatas, ids=texts)
        store.save(tmp_path)
    found = []
    for limit in (module.MAPPED_UP_TO, 0):
        monkeypatch.setattr(module, "MAPPED_UP_TO", limit)
        monkeypatch.setattr(module, "BLOCK_BYTES", 100 * ROW_BYTES)
        with FaissStore.open(tmp_path, Seeded()) as store:
            store.delete([str(n) for n in range(90, 210, 3)])
            store.add_texts(["1000", "1005"], ids=["new", "5"])
            wanted = {"row": {"$gte": 300}}
            found.append(
                [store.search_batch(texts[:40], mode, k=7) for mode in ("similarity", "hybrid")]
                + [[store.similarity_search_with_score(text, k=7, filter=wanted) for text in texts[:40]]]
            )
    for mapped, read in zip(*found, strict=True):
        for ours, theirs in zip(mapped, read, strict=True):
            assert [document for document, _ in ours] == [document for document, _ in theirs]
            assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=1e-6)
