"""Opening a saved store: everything that can be checked is checked before anything is searched."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from automix_graph.errors import StoreError
from automix_graph.retrieval.collection import Collection
from automix_graph.retrieval.manifest import Manifest
from automix_graph.retrieval.vectors import VectorIndex

_ATTEMPTS: Final = 20


def open_collection(folder: Path, *, verify: bool) -> tuple[Manifest, Collection]:
    """Open what a folder has published.

    Args:
        folder: of the store.
        verify: compare the SHA-256 of both files, which reads them once more.

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
    raise StoreError(f"the store at {str(folder)!r} is being saved over and over: try again later", path=str(folder))


def _open_generation(folder: Path, manifest: Manifest, *, verify: bool) -> Collection:
    try:
        vectors, passages = (file.check(folder, verify=verify) for file in manifest.files)
        index = VectorIndex.read(vectors, manifest.metric)
    except FileNotFoundError as error:
        raise StoreError(
            f"a file of the store at {str(folder)!r} was removed while it was opened: {error}", path=str(folder)
        ) from error
    try:
        collection = Collection(manifest.metric, index=index, published=passages)
    except sqlite3.Error as error:
        raise _unreadable(folder, passages, error) from error
    try:
        _require_match(folder, manifest, index, collection.count())
    except sqlite3.Error as error:
        collection.close()
        raise _unreadable(folder, passages, error) from error
    except BaseException:
        collection.close()
        raise
    return collection


def _require_match(folder: Path, manifest: Manifest, index: VectorIndex, passages: int) -> None:
    found = (len(index), passages, index.dimension)
    stated = (manifest.count, manifest.count, manifest.embedding.dimension)
    if found != stated:
        raise StoreError(
            f"the store at {str(folder)!r} has {found[0]} vectors of dimension {found[2]} and {found[1]} passages, but "
            f"its manifest states {stated[0]} of dimension {stated[2]}: restore the folder, or build the store again",
            path=str(folder),
        )


def _unreadable(folder: Path, path: Path, error: sqlite3.Error) -> StoreError:
    return StoreError(
        f"{path.name!r} in the store at {str(folder)!r} is no readable SQLite file ({error}): "
        "restore the folder from a copy, or build the store again",
        path=str(folder),
    )
