"""Reading files into a store, and keeping the store in step with them.

The store remembers the digest of each file, in the same transactions as its passages. A second run reads only what
changed, and a run that was interrupted goes on where it stopped, inside a file too.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import ConfigurationError, MissingExtraError, StoreError
from automix_graph.retrieval.entries import Change, Entry, SourceState, entry_of
from automix_graph.retrieval.loaders import Problem, Section, load_file
from automix_graph.retrieval.manifest import sha256_of
from automix_graph.retrieval.metrics import Matrix
from automix_graph.retrieval.progress import IngestReport, Progress
from automix_graph.retrieval.splitting import DEFAULT_CHUNK_OVERLAP, DEFAULT_CHUNK_SIZE, Chunk, Splitter
from automix_graph.retrieval.store import FaissStore
from automix_graph.retrieval.walking import Walk, find_files
from automix_graph.retrieval.writing import EMBED_BATCH

INGEST_VERSION: Final = 1
"""Part of every digest: raise it when loaders or splitting change, so that files are read again."""

DEFAULT_EMBED_WORKERS: Final = 2
"""Batches that are embedded at the same time, while files are read and finished batches are stored."""

MAX_PROBLEMS_PER_FILE: Final = 20
"""Bad lines listed for one file; the rest are counted."""

Paths = Iterable[str | PathLike[str]]


def ingest(
    paths: Paths,
    store: FaissStore,
    *,
    chunk_size: int = DEFAULT_CHUNK_SIZE,
    chunk_overlap: int = DEFAULT_CHUNK_OVERLAP,
    embed_workers: int = DEFAULT_EMBED_WORKERS,
    progress: Callable[[Progress], None] | None = None,
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
    pool = ThreadPoolExecutor(embed_workers, thread_name_prefix="automix-ingest")
    try:
        return _Run(store, splitter, walk, progress, pool, embed_workers).run()
    finally:
        pool.shutdown(cancel_futures=True)


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
        pool: ThreadPoolExecutor,
        workers: int,
    ) -> None:
        self._store = store
        self._splitter = splitter
        self._walk = walk
        self._progress = progress
        self._known = store.collection.source_states()
        self._batch = _Batch()
        self._pool = pool
        self._workers = workers
        self._embedding: deque[tuple[_Batch, Future[Matrix]]] = deque()
        self._read: list[str] = []
        self._unchanged: list[str] = []
        self._unreadable = list(walk.unreadable)
        self._added = self._removed = self._files_done = self._bytes_done = 0
        self._bytes_total = sum(_size(path) for path in walk.files)

    def run(self) -> IngestReport:
        for path in self._walk.files:
            self._file(path)
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

    def _file(self, path: Path) -> None:
        source, size = path.as_posix(), _size(path)
        try:
            digest = self._digest(path)
        except OSError as error:
            self._unreadable.append(Problem(path=source, reason=error.strerror or str(error)))
            return
        known = self._known.get(source)
        if known is not None and known.digest == digest and known.complete:
            self._unchanged.append(source)
        else:
            started = known.passages if known is not None and known.digest == digest else None
            self._passages(path, digest, started)
        self._bytes_done += size

    def _passages(self, path: Path, digest: str, started: int | None) -> None:
        """Store the passages of a file, from the first one that an interrupted run did not store.

        A file of which something could not be read is never complete: the next run names it again.
        """
        source, stored, inside = path.as_posix(), started or 0, 0
        problems = len(self._unreadable)
        for entry in islice(self._entries(path), stored, None):
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

    def _entries(self, path: Path) -> Iterator[Entry]:
        problems = 0
        for item in _items(path):
            entries = self._section_entries(path, item) if isinstance(item, Section) else item
            if not isinstance(entries, Problem):
                yield from entries
                continue
            problems += 1
            if problems <= MAX_PROBLEMS_PER_FILE:
                self._unreadable.append(entries)
        if problems > MAX_PROBLEMS_PER_FILE:
            reason = f"has {problems - MAX_PROBLEMS_PER_FILE} more parts that cannot be read"
            self._unreadable.append(Problem(path=path.as_posix(), reason=reason))

    def _section_entries(self, path: Path, section: Section) -> list[Entry] | Problem:
        chunks = enumerate(self._splitter.split(section))
        try:
            return [_entry(path, section, chunk, part) for part, chunk in chunks]
        except StoreError as error:  # a value that cannot be stored
            return Problem(path=path.as_posix(), reason=str(error))

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.entries and not batch.states:
            return
        texts = [entry.text for entry in batch.entries]
        self._embedding.append((batch, self._pool.submit(self._store.embed, texts)))
        # One more than is embedded waits, so that the workers never do.
        self._store_embedded(leave=self._workers)

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

    def _digest(self, path: Path) -> str:
        settings = f"{INGEST_VERSION} {self._splitter.chunk_size} {self._splitter.chunk_overlap} {path.suffix.lower()}"
        return hashlib.sha256(f"{settings} {sha256_of(path)}".encode()).hexdigest()

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


def _items(path: Path) -> Iterator[Section | Problem]:
    """Read a file; a reader that is not installed is a problem of this file, not of the others."""
    try:
        yield from load_file(path)
    except MissingExtraError as error:
        yield Problem(path=path.as_posix(), reason=str(error))


def _entry(path: Path, section: Section, chunk: Chunk, part: int) -> Entry:
    source = path.as_posix()
    metadata = dict(section.metadata)
    if "source" in metadata:
        metadata["row_source"] = metadata.pop("source")
    metadata |= {"source": source, "start_index": chunk.start}
    if chunk.heading:
        metadata["heading"] = chunk.heading
    # The place in the file, so that the same place has the same id in every run.
    place = ",".join(filter(None, [section.position, f"part={part}"]))
    return entry_of(Document(page_content=chunk.text, metadata=metadata), id=f"{source}#{place}", source=source)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # gone since it was found; reading it will say so
