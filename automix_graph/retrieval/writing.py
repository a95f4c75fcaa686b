"""The writing half of the store: LangChain's methods that add and delete, sync and async.

Everything is checked and embedded before the collection changes, so a failure changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval.entries import Change, Entry, entry_of
from automix_graph.retrieval.metrics import Matrix, as_matrix
from automix_graph.retrieval.searching import SearchableStore

EMBED_BATCH: Final = 64
"""Texts handed to the embedding model at once."""


class WritableStore(SearchableStore):
    """The methods of a store that change it; `FaissStore` adds saving and opening."""

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add or replace texts; see `add_documents`."""
        return self.add_documents(_as_documents(texts, metadatas, ids), **kwargs)

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add or replace texts, without blocking; see `add_documents`."""
        return await self.aadd_documents(_as_documents(texts, metadatas, ids), **kwargs)

    def add_documents(
        self, documents: Iterable[Document], *, ids: Sequence[str] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add or replace passages: all of them, or none where anything fails.

        Args:
            documents: what to store; metadata may hold any JSON types.
            ids: one for each document, before the document's own; without either the id is a random UUID. Where an id
                comes twice, the last document wins.
            **kwargs: none are known.

        Returns:
            The ids, one for each document.

        Raises:
            StoreError: a text, an id or a metadata value cannot be stored, or the vectors do not fit the store.
        """
        _refuse(kwargs)
        entries = _entries(documents, ids)
        put = list({entry.id: entry for entry in entries}.values())
        if put:
            self.collection.apply(Change(put=put), self.embed([entry.text for entry in put]))
        return [entry.id for entry in entries]

    async def aadd_documents(
        self, documents: Iterable[Document], *, ids: Sequence[str] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add or replace passages, without blocking; see `add_documents`."""
        _refuse(kwargs)
        entries = _entries(documents, ids)
        put = list({entry.id: entry for entry in entries}.values())
        if put:
            vectors = await self._aembed([entry.text for entry in put])
            await asyncio.to_thread(self.collection.apply, Change(put=put), vectors)
        return [entry.id for entry in entries]

    def delete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete the passages with these ids, unknown ones being ignored; without ids (None) delete all."""
        _refuse(kwargs)
        change = Change(everything=True) if ids is None else Change(remove=_id_list(ids))
        self.collection.apply(change, _no_vectors())
        return True

    async def adelete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete passages, without blocking; see `delete`."""
        return await asyncio.to_thread(self.delete, ids, **kwargs)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return the embeddings of texts, shape (n, dimension), in batches of `EMBED_BATCH`."""
        return embedded(self._embedding, texts)

    async def _aembed(self, texts: Sequence[str]) -> Matrix:
        vectors: list[Matrix] = []
        for start in range(0, len(texts), EMBED_BATCH):
            batch = list(texts[start : start + EMBED_BATCH])
            vectors.append(_batch_matrix(await self._embedding.aembed_documents(batch), batch))
        return _stacked(vectors)


def embedded(embedding: Embeddings, texts: Sequence[str]) -> Matrix:
    """Return the embeddings of texts, shape (n, dimension), in batches of `EMBED_BATCH`.

    Raises:
        StoreError: the model gives no vector of one length for each text.
    """
    vectors: list[Matrix] = []
    for start in range(0, len(texts), EMBED_BATCH):
        batch = list(texts[start : start + EMBED_BATCH])
        vectors.append(_batch_matrix(embedding.embed_documents(batch), batch))
    return _stacked(vectors)


def _entries(documents: Iterable[Document], ids: Sequence[str] | None) -> list[Entry]:
    listed = list(documents)
    chosen: Sequence[str | None] = [None] * len(listed) if ids is None else _id_list(ids)
    if len(chosen) != len(listed):
        raise ConfigurationError(f"{len(chosen)} ids for {len(listed)} documents; give one id for each document")
    return [entry_of(document, id=id_) for document, id_ in zip(listed, chosen, strict=True)]


def _as_documents(
    texts: Iterable[str], metadatas: Sequence[dict[str, Any]] | None, ids: Sequence[str] | None
) -> list[Document]:
    if isinstance(texts, str):
        raise ConfigurationError(f"texts is the string {texts[:40]!r}; it must be a list of strings")
    listed = list(texts)
    for name, values in (("metadatas", metadatas), ("ids", ids)):
        if values is not None and len(values) != len(listed):
            raise ConfigurationError(f"{len(values)} {name} for {len(listed)} texts; give one for each text, or none")
    return [
        Document(
            page_content=text,
            metadata=(metadatas[row] if metadatas else {}),
            id=(ids[row] if ids is not None else None),
        )
        for row, text in enumerate(listed)
    ]


def _id_list(ids: Sequence[str]) -> list[str]:
    if isinstance(ids, str):
        raise ConfigurationError(f"ids is the string {ids!r}; it must be a list of ids, such as [{ids!r}]")
    return list(ids)


def _batch_matrix(vectors: list[list[float]], texts: list[str]) -> Matrix:
    if len(vectors) != len(texts):
        raise StoreError(
            f"the embedding model gave {len(vectors)} vectors for {len(texts)} texts; it must give one each",
            code="bad-vectors",
        )
    return as_matrix(vectors)


def _stacked(batches: list[Matrix]) -> Matrix:
    dimensions = {batch.shape[1] for batch in batches}
    if len(dimensions) > 1:
        raise StoreError(
            f"the embedding model gave vectors of several dimensions: {sorted(dimensions)}", code="bad-vectors"
        )
    return np.concatenate(batches) if batches else _no_vectors()


def _no_vectors() -> Matrix:
    return np.empty((0, 0), dtype=np.float32)


def _refuse(kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise ConfigurationError(f"unknown arguments {', '.join(map(repr, kwargs))}; see the method's documentation")
