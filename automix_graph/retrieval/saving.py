"""Saving a collection to a folder, with the index that is wanted, and searching with what was saved."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from automix_graph.errors import StoreError
from automix_graph.retrieval.collection import Collection
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.index_files import index_for
from automix_graph.retrieval.manifest import StoredIndex
from automix_graph.retrieval.moments import Moment
from automix_graph.retrieval.opening import published_store
from automix_graph.retrieval.plan import IndexPlan
from automix_graph.retrieval.publication import Edition, publish


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The folder that a store was opened from or saved to, and its generation and index at that time."""

    folder: Path
    generation: int
    index: StoredIndex | None


def save_collection(
    collection: Collection,
    folder: Path,
    *,
    fingerprint: Fingerprint,
    plan: IndexPlan,
    origin: Origin | None,
    build_index: bool,
    replace: bool,
) -> Origin:
    """Publish a collection to a folder and search with the published files from now on.

    The collection is locked while its vectors and passages are written, and free again while the index is built.

    Args:
        collection: to publish.
        folder: where to.
        fingerprint: of its embedding model.
        plan: which index is wanted.
        origin: where the collection was opened from or last saved to.
        build_index: whether a missing or outdated index may be built, which takes long.
        replace: whether a store that the folder has and that the collection does not come from may be replaced.

    Returns:
        The new origin.
    """
    here = origin if origin is not None and origin.folder.resolve() == folder.resolve() else None
    moments: list[Moment] = []

    def write(vectors: Path, passages: Path) -> int:
        moments.append(collection.write_files(vectors, passages, dimension=fingerprint.dimension))
        return moments[-1].count

    def make_index(vectors: Path, target: Path, current: StoredIndex | None) -> StoredIndex | None:
        # Only the index that this store was opened with, or made itself, is one of its own passages.
        own = current if here is not None and current == here.index else None
        return index_for(vectors, target, plan=plan, metric=collection.metric, current=own, build=build_index)

    edition = Edition(metric=collection.metric, embedding=fingerprint, plan=plan, write=write, make_index=make_index)
    elsewhere = None if replace else 0
    manifest = publish(folder, edition, expected=elsewhere if here is None else here.generation)
    # Where another process has published since, the files may be gone; this collection still has its own.
    with contextlib.suppress(StoreError, FileNotFoundError):
        collection.search_with(published_store(folder, manifest), moments[-1])
    return Origin(folder=folder, generation=manifest.generation, index=manifest.index)
