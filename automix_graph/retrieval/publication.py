"""Publishing a store to a folder, so that a crash at any moment leaves the old store or the new one.

The files of each generation have names of their own. Readers follow the manifest, which is replaced in one step when
the files it names are safely on disk; what no manifest names is removed afterwards.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from automix_graph.errors import StoreError
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.manifest import MANIFEST, Manifest, StoredFile
from automix_graph.retrieval.vectors import Metric

LOCK: Final = ".lock"
LOCK_TIMEOUT: Final = 120.0
"""Seconds to wait for another process that saves to the same folder."""

_OURS: Final = re.compile(r"(vectors-\d{6,}\.faiss|passages-\d{6,}\.sqlite(-journal)?|manifest\.json\.new|\.lock)")

WriteFiles = Callable[[Path, Path], int]
"""Writes the vectors and the passages to two paths and returns how many there are."""


def publish(
    folder: Path, write: WriteFiles, *, metric: Metric, embedding: Fingerprint, expected: int | None
) -> Manifest:
    """Publish the next generation of a store.

    Args:
        folder: of the store; made where it does not exist.
        write: writes the two files.
        metric: for the manifest.
        embedding: for the manifest.
        expected: the generation that the folder must still have; None replaces any store.

    Raises:
        StoreError: the folder holds something else, another process saves to it for too long, or has saved to it since.
    """
    make_folder(folder)
    try:
        with FileLock(folder / LOCK, timeout=LOCK_TIMEOUT):
            return _publish_locked(folder, write, metric=metric, embedding=embedding, expected=expected)
    except Timeout as error:
        raise StoreError(
            f"another process has been saving to {str(folder)!r} for {LOCK_TIMEOUT:g} seconds: try again later",
            path=str(folder),
        ) from error


def _publish_locked(
    folder: Path, write: WriteFiles, *, metric: Metric, embedding: Fingerprint, expected: int | None
) -> Manifest:
    require_store_or_empty(folder)
    current = Manifest.read(folder) if (folder / MANIFEST).exists() else None
    generation = current.generation if current else 0
    if current is not None and expected not in (None, generation):
        raise StoreError(
            f"the store at {str(folder)!r} is at generation {generation}, but was opened at {expected}: another "
            "process has saved it since; open it again and repeat the change, or save to another folder",
            path=str(folder),
        )
    _remove_leftovers(folder, keep=current)
    try:
        manifest = _write_generation(folder, generation + 1, write, metric=metric, embedding=embedding)
    except BaseException:
        _remove_leftovers(folder, keep=current)  # a full disk should not stay full
        raise
    _replace_manifest(folder, manifest)
    _remove_leftovers(folder, keep=manifest)
    return manifest


def _write_generation(
    folder: Path, generation: int, write: WriteFiles, *, metric: Metric, embedding: Fingerprint
) -> Manifest:
    vectors = folder / f"vectors-{generation:06d}.faiss"
    passages = folder / f"passages-{generation:06d}.sqlite"
    count = write(vectors, passages)
    for path in (vectors, passages):
        _sync(path)
    return Manifest(
        generation=generation,
        count=count,
        metric=metric,
        embedding=embedding,
        vectors=StoredFile.of(vectors),
        passages=StoredFile.of(passages),
    )


def _replace_manifest(folder: Path, manifest: Manifest) -> None:
    new = folder / f"{MANIFEST}.new"
    new.write_text(manifest.to_json(), encoding="utf-8")
    _sync(new)
    _sync_folder(folder)
    os.replace(new, folder / MANIFEST)
    _sync_folder(folder)


def make_folder(folder: Path) -> None:
    """Make the folder of a store, unless it is there.

    Raises:
        StoreError: it cannot be made or written, or it holds something else.
    """
    require_store_or_empty(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {str(folder)!r} cannot be made ({error.strerror}): choose another", path=str(folder)
        ) from error
    if not os.access(folder, os.W_OK):
        raise StoreError(f"the folder {str(folder)!r} cannot be written: choose another", path=str(folder))


def require_store_or_empty(folder: Path) -> None:
    """Raise a StoreError for a folder that has files but is no store: somebody mistyped a path."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise StoreError(f"{str(folder)!r} is a file; a store needs a folder", path=str(folder))
    if (folder / MANIFEST).exists():
        Manifest.read(folder)
        return
    strangers = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if strangers:
        raise StoreError(
            f"{str(folder)!r} is not empty and is no store (it has {strangers[0]!r} and no {MANIFEST}): "
            "choose an empty or a new folder",
            path=str(folder),
        )


def _remove_leftovers(folder: Path, *, keep: Manifest | None) -> None:
    kept = {LOCK, *(file.name for file in keep.files)} if keep else {LOCK}
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in kept:
            # Windows does not remove what another process reads; the next save will.
            with contextlib.suppress(PermissionError):
                path.unlink()


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # a folder cannot be opened elsewhere, and renames are durable without
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
