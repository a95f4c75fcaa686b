"""Opening a saved store, in a time that hardly grows with it: files are mapped, and read where a search needs them.

Opening checks the manifest by its own checksum, the sizes of all files, the heads of the indexes, and that vectors and
passages agree in their first and last numbers. Each passage carries a checksum over itself and its vector, compared
whenever it is read. The SHA-256 of whole files is compared by `check_store`, for small stores, and on demand.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from automix_graph.errors import StoreError
from automix_graph.retrieval.collection import Collection
from automix_graph.retrieval.manifest import Manifest
from automix_graph.retrieval.moments import PublishedStore

_ATTEMPTS: Final = 20

VERIFY_UP_TO: Final = 16 * 2**20
"""Bytes of all files that are read whole at every opening: about 10 ms."""


def open_collection(folder: Path, *, verify: bool | None) -> tuple[Manifest, Collection]:
    """Open what a folder has published.

    Args:
        folder: of the store.
        verify: compare the SHA-256 of all files, which reads them whole; None does so up to `VERIFY_UP_TO` bytes.

    Raises:
        StoreError: there is no store, or it is damaged; the message says what does not match.
    """
    manifest = Manifest.read(folder)
    for _ in range(_ATTEMPTS):
        try:
            return manifest, _open_generation(folder, manifest, verify=verify)
        except StoreError:
            # A new generation may have replaced the files between reading the manifest and reading them.
            newer = Manifest.read(folder)
            if newer == manifest:
                raise
            manifest = newer
    raise StoreError(
        f"the store at {str(folder)!r} is being saved over and over: try again later",
        path=str(folder),
        code="store-busy",
    )


def check_store(folder: Path) -> Manifest:
    """Read a saved store whole and compare it with its manifest; the embedding model is not needed.

    Raises:
        StoreError: there is no store, or it is damaged; the message says what does not match.
    """
    manifest, collection = open_collection(folder, verify=True)
    collection.close()
    return manifest


def published_store(folder: Path, manifest: Manifest, *, verify: bool = False) -> PublishedStore:
    """Return the files that a manifest names, each checked; see `StoredFile.check`."""
    index = manifest.index
    return PublishedStore(
        passages=manifest.passages.check(folder, verify=verify),
        vectors=manifest.vectors.check(folder, verify=verify),
        index=None if index is None else (index.file.check(folder, verify=verify), index.tuned),
    )


def _open_generation(folder: Path, manifest: Manifest, *, verify: bool | None) -> Collection:
    if verify is None:
        verify = sum(file.size for file in manifest.files) <= VERIFY_UP_TO
    passages = manifest.passages.name
    try:
        published = published_store(folder, manifest, verify=verify)
        collection = Collection(manifest.metric, published=published)
    except FileNotFoundError as error:
        raise StoreError(
            f"a file of the store at {str(folder)!r} was removed while it was opened: {error}",
            path=str(folder),
            code="store-busy",
        ) from error
    except sqlite3.Error as error:
        raise StoreError(
            f"{passages!r} in the store at {str(folder)!r} is no readable SQLite file ({error}): "
            "restore the folder from a copy, or build the store again",
            path=str(folder),
        ) from error
    try:
        _require_match(folder, manifest, collection)
    except BaseException:
        collection.close()
        raise
    return collection


def _require_match(folder: Path, manifest: Manifest, collection: Collection) -> None:
    count, dimension = collection.count(), collection.dimension
    if (count, dimension) != (manifest.count, manifest.embedding.dimension):
        raise StoreError(
            f"the store at {str(folder)!r} has {count} vectors of dimension {dimension}, but its manifest states "
            f"{manifest.count} of dimension {manifest.embedding.dimension}: {_RESTORE}",
            path=str(folder),
            code="bad-vectors",
        )
    vectors, passages = collection.bounds()
    if vectors != passages:
        raise StoreError(
            f"the store at {str(folder)!r} has vectors numbered {_range(vectors)}, but passages numbered "
            f"{_range(passages)}: {_RESTORE}",
            path=str(folder),
        )


_RESTORE: Final = "restore the folder from a copy, or build the store again"


def _range(bounds: tuple[int, int] | None) -> str:
    return "none" if bounds is None else f"{bounds[0]} to {bounds[1]}"
