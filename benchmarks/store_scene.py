"""The stores that the benchmark of the store measures: ours, FAISS alone on our files, and langchain-community's."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from store_data import Data, Fixed


def folder_of(work: Path, data: str, kind: str) -> Path:
    """Return where the store of some data is, of a type of index or of langchain-community."""
    return work / data / f"store-{kind}"


def fill(data: Data, folder: Path, kind: str) -> None:
    """Build and save our store."""
    from automix_graph.retrieval import FaissStore
    from automix_graph.retrieval.entries import Change, Entry

    with FaissStore(Fixed(), index_type=kind) as store:  # type: ignore[arg-type]
        for start in range(0, len(data.texts), 1000):
            put = [
                Entry(id=str(start + row), text=text, metadata=json.dumps({"source": "data", "row": start + row}))
                for row, text in enumerate(data.texts[start : start + 1000])
            ]
            store.collection.apply(Change(put=put), np.array(data.vectors[start : start + 1000]))
        store.save(folder)


def fill_community(data: Data, folder: Path) -> None:
    """Build and save langchain-community's store."""
    store = None
    for start in range(0, len(data.texts), 1000):  # a list of all its floats would take 12 GB for a million vectors
        pairs = list(zip(data.texts[start : start + 1000], data.vectors[start : start + 1000].tolist(), strict=True))
        metadatas = [{"source": "data", "row": start + row} for row in range(len(pairs))]
        if store is None:
            store = _community().from_embeddings(pairs, Fixed(), metadatas=metadatas)
        else:
            store.add_embeddings(pairs, metadatas=metadatas)
    store.save_local(str(folder))  # type: ignore[union-attr]


def opener(work: Path, name: str, kind: str) -> Callable[[], Any]:
    """Return what opens a store; everything is imported before."""
    import faiss  # noqa: F401 - both stores import it when they need it

    folder = folder_of(work, name, kind)
    if kind == "community":
        community = _community()
        return lambda: community.load_local(str(folder), Fixed(), allow_dangerous_deserialization=True)
    from automix_graph.retrieval import FaissStore

    return lambda: FaissStore.open(folder, Fixed())


def raw_index(work: Path, name: str, kind: str) -> Any:
    """Return the index of our store as FAISS alone reads it, with the effort that ours was tuned to."""
    import faiss

    folder = folder_of(work, name, kind)
    stored = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["index"]
    index = faiss.read_index(str(next(folder.glob("vectors-*" if stored is None else "index-*"))))
    if kind == "hnsw":
        faiss.downcast_index(index.index).hnsw.efSearch = stored["tuned"]["effort"]
    elif stored is not None:
        index.nprobe = stored["tuned"]["effort"]
    return index


def same_index(work: Path, name: str, raw: Any) -> Any:
    """Return langchain-community's store with another index than its own, which answers with our numbers."""
    store = opener(work, name, "community")()
    own = store.index_to_docstore_id
    store.index, store.index_to_docstore_id = raw, {row + 1: own[row] for row in own}
    return store


def _community() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from langchain_community.vectorstores import FAISS
    return FAISS
