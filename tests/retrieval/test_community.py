from __future__ import annotations

import os
import pickle
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from scripted_embeddings import Counting

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.faiss_library import faiss
from automix_graph.testing.embeddings import HashEmbeddings

# Written by langchain-community 0.4.2: FAISS.from_documents([...], HashEmbeddings()), one document deleted and added
# again, save_local.
FOLDER = Path(__file__).parent / "data" / "community"


class Attack:
    def __reduce__(self) -> Any:
        return os.mkdir, ("hacked",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "community"))


def test_keeps_ids_texts_metadata_and_vectors_without_embedding_again() -> None:
    embedding = Counting()
    with FaissStore.from_community(FOLDER, embedding) as store:
        assert embedding.texts == 1  # the probe
        assert store.collection.metric == "l2"
        otter, owl, panda = store.get_by_ids(["otter", "owl", "panda"])
        assert otter.metadata == {"source": "otter.md", "page": 1, "tags": ["sea", None, 1.5]}
        assert owl.page_content == "Owls fly silently."
        assert owl.metadata == {"source": "owl.md", "n": {"a": True}}
        for document in (otter, owl, panda):
            [(found, distance)] = store.similarity_search_with_score(document.page_content, k=1)
            assert found == document
            assert distance == pytest.approx(0.0, abs=1e-6)
        assert [found.id for found in store.search("竹子", "bm25")] == ["panda"]


def test_does_not_import_langchain_community() -> None:
    with FaissStore.from_community(FOLDER, HashEmbeddings()):
        assert "langchain_community" not in sys.modules


def test_takes_another_metric() -> None:
    with FaissStore.from_community(FOLDER, HashEmbeddings(), metric="cosine") as store:
        [(_, score)] = store.similarity_search_with_score("Owls fly silently.", k=1)
        assert score == pytest.approx(1.0)


def test_runs_nothing_that_the_pickle_names(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    payload = pickle.dumps((Attack(), {}))
    (folder / "index.pkl").write_bytes(payload)
    with pytest.raises(StoreError, match=r"posix\.mkdir"):
        FaissStore.from_community(folder, HashEmbeddings())
    assert not Path("hacked").exists()
    pickle.loads(payload)
    assert Path("hacked").exists(), "the payload must be one that works"


def test_refuses_the_wrong_dimension() -> None:
    with pytest.raises(StoreError, match=r"64 components.*have 32"):
        FaissStore.from_community(FOLDER, HashEmbeddings(32))


@pytest.mark.parametrize("name", ["index.faiss", "index.pkl"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "garbage"])
def test_refuses_damaged_files(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "garbage":
            path.write_bytes(b"\x93garbage" * 100)
    with pytest.raises(StoreError):
        FaissStore.from_community(folder, HashEmbeddings())


@pytest.mark.parametrize(
    "content",
    [
        None,
        ("no docstore", {}),
        ({}, {}),
        pickle.dumps,
    ],
)
def test_refuses_pickles_of_other_things(folder: Path, content: Any) -> None:
    (folder / "index.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(StoreError):
        FaissStore.from_community(folder, HashEmbeddings())


def _document(name: str) -> Document:
    return Document(page_content=f"About {name}.")


NAMES = {0: "a", 1: "b", 2: "c"}
DOCUMENTS = {name: _document(name) for name in NAMES.values()}


@pytest.mark.parametrize(
    ("documents", "ids", "complaint"),
    [
        (DOCUMENTS, {0: "a"}, "lists 1 passages for 3 vectors"),
        (DOCUMENTS, {0: "a", 1: "a", 2: "c"}, "gives one id to several vectors"),
        (DOCUMENTS, {0: "a", 1: "b", 2: "d"}, "has no document for it"),
        (DOCUMENTS, {"0": "a", 1: "b", 2: "c"}, "numbers its passages in an unknown way"),
        ({**DOCUMENTS, "b": Document.model_construct(page_content=None)}, NAMES, "passage 'b' .* is malformed"),
        (list(DOCUMENTS.items()), NAMES, "is no docstore"),
    ],
)
def test_says_what_is_wrong_with_a_docstore(
    folder: Path, monkeypatch: pytest.MonkeyPatch, documents: Any, ids: dict[Any, str], complaint: str
) -> None:
    name = "langchain_community.docstore.in_memory"
    kind = type("InMemoryDocstore", (), {"__module__": name})
    for module in ("langchain_community", "langchain_community.docstore", name):
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(InMemoryDocstore=kind, __path__=[]))
    docstore = kind()
    docstore._dict = documents
    (folder / "index.pkl").write_bytes(pickle.dumps((docstore, ids)))
    with pytest.raises(StoreError, match=complaint):
        FaissStore.from_community(folder, HashEmbeddings())


def _without_a_way_back() -> Any:
    index = faiss.IndexIDMap(faiss.IndexFlatL2(64))
    index.add_with_ids(np.eye(3, 64, dtype=np.float32), np.arange(3))
    return index


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        (faiss.IndexFlat(64, faiss.METRIC_L1), r"FAISS metric 2; L2 and inner product can be read"),
        (_without_a_way_back(), "gives its vectors back"),
    ],
)
def test_says_which_indexes_cannot_be_read(folder: Path, index: Any, complaint: str) -> None:
    faiss.write_index(index, str(folder / "index.faiss"))
    with pytest.raises(StoreError, match=complaint):
        FaissStore.from_community(folder, HashEmbeddings())
