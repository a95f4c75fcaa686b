from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket
from saved_store import EMBEDDING, METADATA

from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy disk takes a second for what only a power cut could tell. The crash test saves in processes of its own.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def embedding() -> HashEmbeddings:
    return HashEmbeddings()


@pytest.fixture
def store(embedding: HashEmbeddings) -> Iterator[FaissStore]:
    with FaissStore(embedding) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of three passages."""
    path = tmp_path / "a folder with 空格 and %20"
    with FaissStore.from_texts(["otter", "owl", "熊猫"], EMBEDDING, [METADATA, {}, {}], ids=["a", "b", "c"]) as store:
        store.save(path)
    return path


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of documents, below the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = Path("docs")
    (folder / "sub").mkdir(parents=True)
    (folder / "otter.md").write_text("# Otters\n\nOtters hold hands.", encoding="utf-8")
    (folder / "owl.txt").write_text("Owls see at night.", encoding="utf-8")
    (folder / "sub" / "rows.jsonl").write_text(
        '{"id": "r1", "text": "Pandas eat bamboo.", "source": "https://example.org"}\n'
        '{"id": "r2", "text": "熊猫吃竹子。"}\n',
        encoding="utf-8",
    )
    return folder
