from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import automix_graph.models
from automix_graph import FaissStore
from automix_graph.cli.ask import ask
from automix_graph.errors import StoreError
from automix_graph.retrieval.opened_index import opened_index
from automix_graph.testing import HashEmbeddings

TEXTS = ["Owls fly by night.", "Owls hunt mice.", "Watt built engines."]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the embedding models that were loaded."""
    names: list[str] = []

    def load(name: str) -> HashEmbeddings:
        names.append(name)
        return HashEmbeddings()

    monkeypatch.setattr(automix_graph.models, "load_embeddings", load, raising=False)
    return names


def test_as_many_passages_come_as_were_asked_for(tmp_path: Path, loaded: list[str]) -> None:
    with FaissStore.from_texts(TEXTS, HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    with opened_index(tmp_path / "index", "test:hash", k=2, search="bm25") as retriever:
        found = [passage.page_content for passage in retriever.invoke("owls")]
    assert sorted(found) == TEXTS[:2]
    assert loaded == ["test:hash"]


def test_the_store_is_closed_afterwards(tmp_path: Path, loaded: list[str]) -> None:
    with FaissStore.from_texts(TEXTS, HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    with opened_index(tmp_path / "index", "test:hash", k=1, search="bm25") as retriever:
        pass
    with pytest.raises(StoreError, match="closed"):
        retriever.invoke("owls")


def test_what_is_no_index_is_refused_before_models_are_loaded(tmp_path: Path, loaded: list[str]) -> None:
    with (
        pytest.raises(StoreError, match="there is no folder"),
        opened_index(tmp_path / "none", "test:hash", k=1, search="hybrid"),
    ):
        pass
    assert loaded == []


@pytest.mark.parametrize("command", ["ask", "opened_index"])
def test_an_index_without_passages_is_refused(tmp_path: Path, loaded: list[str], command: str) -> None:
    folder = tmp_path / "index"
    with FaissStore.from_texts(TEXTS, HashEmbeddings(), ids=["a", "b", "c"]) as store:
        store.delete(["a", "b", "c"])
        store.save(folder)
    error: Any
    if command == "ask":
        error = CliRunner().invoke(ask, ["When?", "--index", str(folder)]).exception
    else:
        with (
            pytest.raises(StoreError) as raised,
            opened_index(folder, "test:hash", k=1, search="hybrid"),
        ):
            pass
        error = raised.value
    assert isinstance(error, StoreError)
    assert str(error) == f"the index {str(folder)!r} holds no passages; add some: automix index PATH… --out DIR"
    assert error.path == str(folder)
