"""An index that is open for as long as questions are answered from it.

One that holds nothing is refused: nobody can be answered from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from automix_graph.errors import StoreError

if TYPE_CHECKING:
    from langchain_core.vectorstores import VectorStoreRetriever


@contextlib.contextmanager
def opened_index(index_dir: Path, embedding: str, *, k: int, search: str) -> Iterator[VectorStoreRetriever]:
    """Open an index for as long as it is asked.

    Args:
        index_dir: folder that ``automix index`` wrote.
        embedding: name of the embedding model, which must be the one that the index was made with.
        k: how many passages are retrieved for a question.
        search: how they are searched, as in `FaissStore.as_retriever`.

    Yields:
        A retriever over the passages of the index.

    Raises:
        StoreError: the folder is no index, the embedding is not the one that it was made with, or it holds no passages.
    """
    # Imported here: they take a second, and whoever imports this module may only want to say how it is used.
    from automix_graph.models import load_embeddings
    from automix_graph.retrieval.manifest import Manifest
    from automix_graph.retrieval.store import FaissStore

    Manifest.read(index_dir)  # refuses what is no index, before models are loaded
    with FaissStore.open(index_dir, load_embeddings(embedding)) as store:
        if not len(store):
            raise StoreError(
                f"the index {str(index_dir)!r} holds no passages; add some: automix index PATH… --out DIR",
                path=str(index_dir),
                code="store-missing",
            )
        yield store.as_retriever(search_type=search, search_kwargs={"k": k})
