"""A disk that is full: a limit on the size of files stops each writer where that would, with errors of the system."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docs_to_ingest import write_rows
from saved_store import EMBEDDING, contents

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore, index_paths
from automix_graph.testing.embeddings import HashEmbeddings


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def refused(place: str) -> Iterator[None]:
    with pytest.raises(StoreError, match="make room there") as caught:
        yield
    assert caught.value.code == "file-unwritable"
    assert caught.value.path == place
    assert "\n" not in str(caught.value)


# From no room at all to room for all but the last: tables, the copy of passages, passages, vectors.
@pytest.mark.parametrize("size", [0, 10_000, 30_000, 60_000, 100_000])
def test_working_files(folder: Path, tmp_path: Path, size: int) -> None:
    before = contents(folder)
    write_rows(tmp_path / "rows.jsonl", 2_000)
    with refused(tempfile.gettempdir()), no_file_beyond(size):
        index_paths([tmp_path / "rows.jsonl"], tmp_path / "new", EMBEDDING)
    with FaissStore.open(folder, EMBEDDING) as store:
        with refused(tempfile.gettempdir()), no_file_beyond(size):
            store.add_texts([f"text {n}" for n in range(2_000)])
        assert len(store) == 3
        store.add_texts(["lynx"])
        assert {document.page_content for document in store.similarity_search("x", k=9)} == {
            "otter",
            "owl",
            "熊猫",
            "lynx",
        }
    assert contents(folder) == before


@pytest.mark.parametrize("index_type", ["flat", "hnsw"])
@pytest.mark.parametrize("size", [0, 1_000, 20_000, 200_000])
def test_publishing(folder: Path, index_type: str, size: int) -> None:
    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts([f"text {n}" for n in range(1_000)])
        store.index_plan = type(store.index_plan)(index_type=index_type)  # type: ignore[arg-type]
        before = contents(folder)
        with refused(str(folder)), no_file_beyond(size):
            store.save()
        assert contents(folder) == before
        store.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        assert len(store) == 1_003


def test_an_index_alone_that_does_not_fit(folder: Path) -> None:
    with FaissStore.open(folder, HashEmbeddings(), verify=True) as store:
        store.add_texts([f"text {n}" for n in range(1_000)])
        store.save(build_index=False)
        sizes = [path.stat().st_size for path in folder.iterdir()]
        store.index_plan = type(store.index_plan)(index_type="hnsw")
        with refused(str(folder)), no_file_beyond(max(sizes)):
            store.save()


def test_a_folder_of_working_files_that_cannot_be_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(prefix: str) -> str:
        raise OSError(28, "No space left on device", "the folder")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with refused(tempfile.gettempdir()):
        FaissStore(EMBEDDING)
    with refused(tempfile.gettempdir()):
        FaissStore.open(folder, EMBEDDING)
