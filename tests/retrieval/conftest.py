from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import pytest_socket

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
