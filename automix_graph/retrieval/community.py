"""Reading a FAISS folder of langchain_community, whose documents are in a pickle file.

A pickle may run anything that it names. This unpickler resolves two names, neither of which does more than hold values,
and refuses every other; langchain_community itself is not needed.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import StoreError
from automix_graph.retrieval.entries import Entry, entry_of
from automix_graph.retrieval.faiss_library import faiss, reason_of
from automix_graph.retrieval.metrics import Matrix, Metric
from automix_graph.retrieval.rows import read_index


@dataclass(frozen=True, kw_only=True)
class CommunityStore:
    """What a community folder holds.

    Attributes:
        entries: the passages.
        vectors: one row for each passage.
        metric: of the index.
    """

    entries: list[Entry]
    vectors: Matrix
    metric: Metric


class _Docstore:
    """Takes the place of langchain_community's InMemoryDocstore, which keeps its documents in ``_dict``."""

    _dict: dict[str, Any]


_ALLOWED: Final = {
    ("langchain_community.docstore.in_memory", "InMemoryDocstore"): _Docstore,
    ("langchain_core.documents.base", "Document"): Document,
}


class _DocumentUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise StoreError(
                f"the pickle file names {module}.{name}, which documents with plain metadata never do: "
                "do not load it unless you trust who made it; build the store from the documents instead",
                code="community-store",
            ) from None


def read_community(folder: Path, index_name: str) -> CommunityStore:
    """Read a folder that ``langchain_community.vectorstores.FAISS.save_local`` wrote.

    Raises:
        StoreError: a file is missing, damaged, does not fit the other, or names anything but documents.
    """
    index_path, pickle_path = folder / f"{index_name}.faiss", folder / f"{index_name}.pkl"
    for path in (index_path, pickle_path):
        if not path.is_file():
            raise StoreError(
                f"{str(folder)!r} is no FAISS folder of langchain_community: it lacks {path.name!r}",
                path=str(folder),
                code="community-store",
            )
    vectors, metric = _vectors(index_path)
    entries = _entries(pickle_path, len(vectors))
    return CommunityStore(entries=entries, vectors=vectors, metric=metric)


def _vectors(path: Path) -> tuple[Matrix, Metric]:
    """Return all vectors of any FAISS index, in its own order, and its metric."""
    index = read_index(path)
    vectors = np.empty((0, index.d), np.float32)
    try:
        if index.ntotal:
            index.reconstruct(0)  # where this is not possible, asking for several aborts the process
            vectors = index.reconstruct_n(0, index.ntotal)
    except RuntimeError as error:
        raise StoreError(
            f"{str(path)!r} is no FAISS index that gives its vectors back ({reason_of(error)}): "
            "build the store from the documents instead",
            code="community-store",
        ) from error
    known: dict[int, Metric] = {faiss.METRIC_L2: "l2", faiss.METRIC_INNER_PRODUCT: "inner_product"}
    if index.metric_type not in known:
        raise StoreError(
            f"{str(path)!r} has FAISS metric {index.metric_type!r}; L2 and inner product can be read",
            code="community-store",
        )
    return vectors, known[index.metric_type]


def _entries(path: Path, expected: int) -> list[Entry]:
    documents, ids = _unpickled(path)
    if sorted(ids) != list(range(expected)):
        raise StoreError(
            f"{str(path)!r} lists {len(ids)} passages for {expected} vectors: the two files do not belong together",
            code="community-store",
        )
    if len(set(ids.values())) != expected:
        raise StoreError(
            f"{str(path)!r} gives one id to several vectors: build the store from the documents instead",
            code="community-store",
        )
    return [_entry(documents.get(ids[row]), ids[row], path) for row in range(expected)]


def _entry(document: Any, id_: str, path: Path) -> Entry:
    if not isinstance(document, Document):
        raise StoreError(
            f"{str(path)!r} lists passage {id_!r}, but has no document for it: it is damaged", code="community-store"
        )
    # Unpickling skips validation, so the document is made again from its values.
    try:
        return entry_of(Document(page_content=document.page_content, metadata=document.metadata), id=id_)
    except (AttributeError, ValueError) as error:
        raise StoreError(
            f"the document of passage {id_!r} in {str(path)!r} is malformed: {error}", code="community-store"
        ) from error


def _unpickled(path: Path) -> tuple[dict[str, Any], dict[int, str]]:
    try:
        with path.open("rb") as file:
            docstore, ids = _DocumentUnpickler(file).load()
        documents = docstore._dict
    except StoreError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise StoreError(
            f"{str(path)!r} is no docstore of langchain_community ({error!r})", path=str(path), code="community-store"
        ) from error
    if not isinstance(docstore, _Docstore) or not isinstance(documents, dict) or not isinstance(ids, dict):
        raise StoreError(f"{str(path)!r} is no docstore of langchain_community", path=str(path), code="community-store")
    if not all(isinstance(row, int) and isinstance(id_, str) for row, id_ in ids.items()):
        raise StoreError(
            f"{str(path)!r} numbers its passages in an unknown way", path=str(path), code="community-store"
        )
    return documents, ids
