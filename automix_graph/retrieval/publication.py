"""Publishing a store to a folder, so that a crash at any moment leaves the old store or the new one.

The files of each generation have names of their own. Readers follow the manifest, which is replaced in one step when
the files it names are safely on disk; what no manifest names is removed afterwards.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from automix_graph.errors import StoreError
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.manifest import MANIFEST, Manifest, StoredFile, StoredIndex
from automix_graph.retrieval.metrics import Metric
from automix_graph.retrieval.plan import IndexPlan
from automix_graph.retrieval.write_failures import as_store_errors

LOCK: Final = ".lock"
LOCK_TIMEOUT: Final = 120.0
"""Seconds to wait for another process that saves to the same folder."""

_OURS: Final = re.compile(
    r"((vectors|index)-\d{6,}\.faiss|passages-\d{6,}\.sqlite(-journal)?|manifest\.json\.new|\.lock)"
)

_ROOM: Final = "make room there, or save to a folder on another disk"

WriteFiles = Callable[[Path, Path], int]
"""Writes the vectors and the passages to two paths and returns how many there are."""

MakeIndex = Callable[[Path, Path, StoredIndex | None], StoredIndex | None]
"""Makes an approximate index of the vectors at the first path and writes it to the second, or keeps the third."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What is to be published.

    Attributes:
        metric: for the manifest.
        embedding: for the manifest.
        plan: for the manifest.
        write: writes passages and vectors, of one moment.
        make_index: called when they are written.
    """

    metric: Metric
    embedding: Fingerprint
    plan: IndexPlan
    write: WriteFiles
    make_index: MakeIndex


def publish(folder: Path, edition: Edition, *, expected: int | None) -> Manifest:
    """Publish the next generation of a store.

    Args:
        folder: of the store; made where it does not exist.
        edition: what to write.
        expected: the generation that the folder must still have, 0 for no store; None replaces any store.

    Raises:
        StoreError: the folder holds something else or cannot be written, another process saves to it for too long, or
            has saved to it since.
    """
    make_folder(folder)
    with as_store_errors(folder, what="the store", advice=_ROOM):
        try:
            with FileLock(folder / LOCK, timeout=LOCK_TIMEOUT):
                return _publish_locked(folder, edition, expected)
        except Timeout as error:
            raise StoreError(
                f"another process has been saving to {str(folder)!r} for {LOCK_TIMEOUT:g} seconds: try again later",
                path=str(folder),
                code="store-busy",
            ) from error


def tidy(folder: Path) -> None:
    """Remove what a run that was killed after its publication has left, unless another process saves just now."""
    with contextlib.suppress(Timeout), FileLock(folder / LOCK, timeout=0):
        _remove_leftovers(folder, keep=Manifest.read(folder))


def _publish_locked(folder: Path, edition: Edition, expected: int | None) -> Manifest:
    require_store_or_empty(folder)
    current = Manifest.read(folder) if (folder / MANIFEST).exists() else None
    generation = current.generation if current else 0
    if current is not None and expected not in (None, generation):
        opened = f"was opened at {expected}" if expected else "was not there when this one was begun"
        raise StoreError(
            f"the store at {str(folder)!r} is at generation {generation}, but {opened}: another "
            "process has saved it since; open it and repeat the change, or save to another folder",
            path=str(folder),
            code="store-busy",
        )
    _remove_leftovers(folder, keep=current)
    try:
        manifest = _write_generation(folder, generation + 1, edition, current.index if current else None)
    except BaseException:
        _remove_leftovers(folder, keep=current)  # a full disk should not stay full
        raise
    _replace_manifest(folder, manifest)
    _remove_leftovers(folder, keep=manifest)
    return manifest


def _write_generation(folder: Path, generation: int, edition: Edition, index: StoredIndex | None) -> Manifest:
    vectors = folder / f"vectors-{generation:06d}.faiss"
    passages = folder / f"passages-{generation:06d}.sqlite"
    count = edition.write(vectors, passages)
    new_index = edition.make_index(vectors, folder / f"index-{generation:06d}.faiss", index)
    written = [vectors, passages]
    if new_index is not None and new_index != index:
        written.append(folder / new_index.file.name)
    for path in written:
        _sync(path)
    return Manifest(
        generation=generation,
        count=count,
        metric=edition.metric,
        embedding=edition.embedding,
        vectors=StoredFile.of(vectors),
        passages=StoredFile.of(passages),
        plan=edition.plan,
        index=new_index,
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
            f"the folder {str(folder)!r} cannot be made ({error.strerror}): choose another",
            path=str(folder),
            code="store-folder",
        ) from error
    if not os.access(folder, os.W_OK):
        raise StoreError(
            f"the folder {str(folder)!r} cannot be written: choose another", path=str(folder), code="store-folder"
        )


def require_store_or_empty(folder: Path) -> None:
    """Raise a StoreError for a folder that has files but is no store: somebody mistyped a path."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise StoreError(f"{str(folder)!r} is a file; a store needs a folder", path=str(folder), code="store-folder")
    if (folder / MANIFEST).exists():
        Manifest.read(folder)
        return
    strangers = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
    if strangers:
        raise StoreError(
            f"{str(folder)!r} is not empty and is no store (it has {strangers[0]!r} and no {MANIFEST}): "
            "choose an empty or a new folder",
            path=str(folder),
            code="store-folder",
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
