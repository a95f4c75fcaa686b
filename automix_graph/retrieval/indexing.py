"""Indexing files into a folder: open or make the store, read the files, publish.

What is done is published even when the run is interrupted, so that the next run goes on from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Final

from langchain_core.embeddings import Embeddings

from automix_graph.engines import Engine, LocalEngine
from automix_graph.engines.engine import made
from automix_graph.retrieval.ingestion import DEFAULT_EMBED_WORKERS, Paths, ingest
from automix_graph.retrieval.manifest import MANIFEST
from automix_graph.retrieval.plan import IndexPlan
from automix_graph.retrieval.progress import IngestReport, Progress
from automix_graph.retrieval.publication import make_folder, tidy
from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE
from automix_graph.retrieval.store import FaissStore

CHECKPOINT_SECONDS: Final = 120.0
"""Time between publications within a run: what a power cut may cost."""

CHECKPOINT_SHARE: Final = 0.05
"""Largest share of a run spent on publishing; large stores are published more rarely."""


def index_paths(
    paths: Paths,
    out: str | PathLike[str],
    embedding: Embeddings | Callable[[], Embeddings],
    *,
    chunk_size: int = DEFAULT_CHUNK_SIZE,
    chunk_overlap: int = DEFAULT_CHUNK_OVERLAP,
    embed_workers: int = DEFAULT_EMBED_WORKERS,
    plan: IndexPlan | None = None,
    progress: Callable[[Progress], None] | None = None,
    engine: Engine | None = None,
) -> IngestReport:
    """Read files and folders into the store in a folder, making it where there is none; see `ingest`.

    When anything goes wrong, Ctrl-C included, the batches that are complete are published before the error goes on; the
    same call then does the rest.

    Args:
        paths: files and folders.
        out: folder of the store.
        embedding: turns texts into vectors; a store that exists must have been built with it. `RayEngine` needs a
            function without arguments that makes it, since it makes one in each actor.
        chunk_size: characters in a passage at most; a row of JSONL or CSV stays whole up to twice as many.
        chunk_overlap: characters that a passage may repeat from the one before.
        embed_workers: batches embedded at the same time; more than 1 calls the model from several threads.
        plan: which type of index to search with; None keeps that of the store, and is ``"auto"`` for a new one.
        progress: called after each batch and each file.
        engine: where files are read and passages are embedded; None: in this process. The store is written here, and is
            the same whatever the engine.

    Returns:
        What was done.

    Example:
        >>> import tempfile
        >>> from automix_graph.testing.embeddings import HashEmbeddings
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "otter.txt").write_text("Otters hold hands.", encoding="utf-8")
        ...     report = index_paths([Path(folder, "otter.txt")], Path(folder, "index"), HashEmbeddings())
        ...     with FaissStore.open(Path(folder, "index"), HashEmbeddings()) as store:
        ...         report.passages_added, len(store)
        (1, 1)

    Raises:
        StoreError: the folder holds something else, a store that cannot be opened, or one that another process has
            saved meanwhile; or it cannot be written.
    """
    engine = engine or LocalEngine()
    make = made(embedding, _maker(embedding), apart=engine.apart, what="embedding")
    model = make()
    folder = Path(out)
    make_folder(folder)
    # Under absolute names, so that the same file is the same source from wherever the command is run.
    paths = [Path(os.path.abspath(path)) for path in paths]
    is_new = not (folder / MANIFEST).exists()
    with FaissStore(model) if is_new else FaissStore.open(folder, model) as store:
        planned = store.index_plan
        store.index_plan = plan or planned
        checkpoint = _Checkpoint(store, folder)

        def after_batch(state: Progress) -> None:
            checkpoint.publish_now_and_then()
            if progress is not None:
                progress(state)

        try:
            report = ingest(
                paths,
                store,
                chunk_size=chunk_size,
                chunk_overlap=chunk_overlap,
                embed_workers=embed_workers,
                progress=after_batch,
                engine=engine,
                make_embedding=make,
            )
        except BaseException:
            checkpoint.save_changes()
            raise
        if report.changed or is_new or store.index_plan != planned or _lacks_index(store):
            store.save(folder, replace=False)
        else:
            tidy(folder)
        return report


def _maker(embedding: Embeddings | Callable[[], Embeddings]) -> Callable[[], Embeddings]:
    return (lambda: embedding) if isinstance(embedding, Embeddings) else embedding


def _lacks_index(store: FaissStore) -> bool:
    """Whether an interrupted run has left its store without the index that it needs."""
    return store.index is None and store.index_plan.type_for(len(store)) != "flat" and len(store) > 0


class _Checkpoint:
    """Publishes a store now and then while it grows."""

    def __init__(self, store: FaissStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._saved = store.collection.changes
        self._pause = CHECKPOINT_SECONDS
        self._last = time.monotonic()

    def publish_now_and_then(self) -> None:
        """Publish when the last time is long enough ago."""
        if time.monotonic() - self._last >= self._pause:
            self.save_changes()

    def save_changes(self) -> None:
        """Publish unless nothing has changed since."""
        changes = self._store.collection.changes
        if changes == self._saved:
            return
        started = time.monotonic()
        # The run is not over; its end builds the index once.
        self._store.save(self._folder, build_index=False, replace=False)
        self._saved, self._last = changes, time.monotonic()
        self._pause = max(CHECKPOINT_SECONDS, (self._last - started) / CHECKPOINT_SHARE)
