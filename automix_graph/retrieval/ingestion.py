"""Reading files into a store, and keeping the store in step with them.

The store remembers the digest of each file, in the same transactions as its passages. A second run reads only what
changed, and a run that was interrupted goes on where it stopped, inside a file too.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
from langchain_core.embeddings import Embeddings

from automix_graph.engines import Engine, LocalEngine
from automix_graph.engines.engine import Pool
from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.entries import Change, Entry, SourceState
from automix_graph.retrieval.loaders import Problem
from automix_graph.retrieval.metrics import Matrix
from automix_graph.retrieval.progress import IngestReport, Progress
from automix_graph.retrieval.reading import File, Part, read_file
from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE, Splitter
from automix_graph.retrieval.store import FaissStore
from automix_graph.retrieval.walking import Walk, find_files
from automix_graph.retrieval.writing import EMBED_BATCH, embedded

DEFAULT_EMBED_WORKERS: Final = 2
"""Batches that are embedded at the same time, while files are read and finished batches are stored."""

Paths = Iterable[str | PathLike[str]]


def ingest(
    paths: Paths,
    store: FaissStore,
    *,
    chunk_size: int = DEFAULT_CHUNK_SIZE,
    chunk_overlap: int = DEFAULT_CHUNK_OVERLAP,
    embed_workers: int = DEFAULT_EMBED_WORKERS,
    progress: Callable[[Progress], None] | None = None,
    engine: Engine | None = None,
    make_embedding: Callable[[], Embeddings] | None = None,
) -> IngestReport:
    """Read files and folders into a store, in memory that does not grow with them.

    Nothing is published: call `FaissStore.save`, or use `index_paths`. Each batch of passages is stored in one
    transaction together with what is remembered of its files, so an exception or an interrupt leaves a store that can
    be saved, searched, and given to the next run.

    Args:
        paths: files and folders. A file that was indexed below one of these folders and is gone is removed.
        store: to read into.
        chunk_size: characters in a passage at most; a row of JSONL or CSV stays whole up to twice as many.
        chunk_overlap: characters that a passage may repeat from the one before.
        embed_workers: batches embedded at the same time, at least 1; more than 1 calls the model from several threads.
        progress: called after each batch and each file.
        engine: where files are read and passages are embedded; None: in this process. The store is written here.
        make_embedding: makes the embedding model of the store, for an engine that works in other processes.

    Returns:
        What was done, with the files that could not be read.

    Example:
        >>> import tempfile
        >>> from automix_graph.testing.embeddings import HashEmbeddings
        >>> with tempfile.TemporaryDirectory() as folder, FaissStore(HashEmbeddings()) as store:
        ...     _ = Path(folder, "otter.txt").write_text("Otters hold hands.", encoding="utf-8")
        ...     first, second = ingest([folder], store), ingest([folder], store)
        ...     first.passages_added, second.passages_added, len(second.unchanged)
        (1, 0, 1)

    Raises:
        ConfigurationError: sizes that do not fit each other, or fewer than 1 worker.
        MissingExtraError: a file needs a library that is not installed.
    """
    if isinstance(embed_workers, bool) or not isinstance(embed_workers, int) or embed_workers < 1:
        raise ConfigurationError(f"embed_workers is {embed_workers!r}; it must be a whole number of at least 1")
    splitter = Splitter(chunk_size=chunk_size, chunk_overlap=chunk_overlap)
    walk = find_files([Path(path) for path in paths])
    engine = engine or LocalEngine()
    with engine.pool(_embedder(store, engine, make_embedding), threads=embed_workers) as pool:
        return _Run(store, splitter, walk, progress, engine, pool).run()


def _embedder(
    store: FaissStore, engine: Engine, make: Callable[[], Embeddings] | None
) -> Callable[[], Callable[[list[str]], Matrix]]:
    if not engine.apart:
        return lambda: store.embed
    if make is None:
        raise ConfigurationError(
            "the engine embeds in other processes; give make_embedding, which makes the model there"
        )
    return partial(_embedding_of, make)


def _embedding_of(make: Callable[[], Embeddings]) -> Callable[[list[str]], Matrix]:
    return partial(embedded, make())


@dataclass(kw_only=True)
class _Batch:
    """What the next transaction will store."""

    replaced: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    states: dict[str, SourceState] = field(default_factory=dict)


class _Run:
    def __init__(
        self,
        store: FaissStore,
        splitter: Splitter,
        walk: Walk,
        progress: Callable[[Progress], None] | None,
        engine: Engine,
        pool: Pool[list[str], Matrix],
    ) -> None:
        self._store = store
        self._splitter = splitter
        self._walk = walk
        self._progress = progress
        self._known = store.collection.source_states()
        self._batch = _Batch()
        self._engine = engine
        self._pool = pool
        self._embedding: deque[tuple[_Batch, Future[Matrix]]] = deque()
        self._read: list[str] = []
        self._unchanged: list[str] = []
        self._unreadable = list(walk.unreadable)
        self._added = self._removed = self._files_done = self._bytes_done = 0
        self._bytes_total = sum(_size(path) for path in walk.files)

    def run(self) -> IngestReport:
        files = [File(path=path, known=self._known.get(path.as_posix())) for path in self._walk.files]
        read = self._engine.stream(partial(read_file, self._splitter), files)
        for path, parts in groupby(read, key=lambda part: part.path):
            self._file(path, parts)
            self._files_done += 1
            self._tell(path, inside=0)
        self._flush()
        self._store_embedded(leave=0)
        if self._walk.files:
            self._tell(self._walk.files[-1], inside=0)
        gone = self._remove_gone()
        return IngestReport(
            read=tuple(self._read),
            unchanged=tuple(self._unchanged),
            removed=tuple(gone),
            unreadable=tuple(self._unreadable),
            ignored=tuple(self._walk.ignored),
            passages_added=self._added,
            passages_removed=self._removed,
        )

    def _file(self, path: Path, parts: Iterator[Part]) -> None:
        source, size, first = path.as_posix(), _size(path), next(parts)
        if first.digest is None:
            self._require_gone_here_too(path)
            self._unreadable += [part.found for part in (first, *parts) if isinstance(part.found, Problem)]
            return
        known = self._known.get(source)
        if first.unchanged:
            self._unchanged.append(source)
        else:
            started = known.passages if known is not None and known.digest == first.digest else None
            self._passages(path, first.digest, started, parts)
        self._bytes_done += size

    def _passages(self, path: Path, digest: str, started: int | None, parts: Iterator[Part]) -> None:
        """Store the passages of a file, from the first one that an interrupted run did not store.

        A file of which something could not be read is never complete: the next run names it again.
        """
        source, stored, inside = path.as_posix(), started or 0, 0
        problems = len(self._unreadable)
        for entry in islice(self._entries(parts), stored, None):
            if stored == 0:
                self._batch.replaced.append(source)
            stored += 1
            inside += len(entry.text.encode())
            self._batch.entries.append(entry)
            self._batch.states[source] = SourceState(source=source, digest=digest, passages=stored, complete=False)
            if len(self._batch.entries) >= EMBED_BATCH:
                self._flush()
                self._tell(path, inside=inside)
        complete = len(self._unreadable) == problems
        if stored == started and not complete:
            self._unchanged.append(source)
        elif stored:
            self._batch.states[source] = SourceState(source=source, digest=digest, passages=stored, complete=complete)
            self._read.append(source)

    def _entries(self, parts: Iterator[Part]) -> Iterator[Entry]:
        for part in parts:
            if isinstance(part.found, Problem):
                self._unreadable.append(part.found)
            elif part.found is not None:
                yield part.found

    def _require_gone_here_too(self, path: Path) -> None:
        """Refuse to take a file for unreadable that only other machines cannot read."""
        if self._engine.apart and os.access(path, os.R_OK):
            raise ConfigurationError(
                f"{path.as_posix()!r} can be read here, and not where the engine reads files; put the files into a "
                "folder that all its machines have under the same path"
            )

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.entries and not batch.states:
            return
        texts = [entry.text for entry in batch.entries]
        self._embedding.append((batch, self._pool.submit(texts)))
        # One more than is embedded waits, so that the workers never do.
        self._store_embedded(leave=self._pool.size)

    def _store_embedded(self, *, leave: int) -> None:
        """Store the batches in the order of the files, until few enough are left in the making."""
        while len(self._embedding) > leave:
            batch, embedded = self._embedding.popleft()
            change = Change(remove_sources=batch.replaced, put=batch.entries, states=list(batch.states.values()))
            applied = self._store.collection.apply(change, embedded.result())
            self._added += applied.added
            self._removed += applied.removed

    def _remove_gone(self) -> list[str]:
        present = {path.as_posix() for path in self._walk.files}
        gone = [source for source in self._known if source not in present and self._walk.covers(Path(source))]
        if gone:
            nothing = np.empty((0, 0), dtype=np.float32)
            self._removed += self._store.collection.apply(Change(remove_sources=gone), nothing).removed
        return gone

    def _tell(self, path: Path, *, inside: int) -> None:
        if self._progress is not None:
            self._progress(
                Progress(
                    source=path.as_posix(),
                    files_done=self._files_done,
                    files_total=len(self._walk.files),
                    bytes_done=self._bytes_done + min(inside, _size(path)),
                    bytes_total=self._bytes_total,
                    passages_added=self._added,
                )
            )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # gone since it was found; reading it will say so
