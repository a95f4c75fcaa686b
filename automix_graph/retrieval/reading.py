"""One file into passages that may be stored: what has changed of it, and what of it cannot be read.

Nothing here knows a store or writes: this may be done on another machine than the one that keeps the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_core.documents import Document

from automix_graph.errors import MissingExtraError, StoreError
from automix_graph.retrieval.entries import Entry, SourceState, entry_of
from automix_graph.retrieval.loaders import Problem, Section, load_file
from automix_graph.retrieval.manifest import sha256_of
from automix_graph.retrieval.splitting import Chunk, Splitter

INGEST_VERSION: Final = 1
"""Part of every digest: raise it when loaders or splitting change, so that files are read again."""

MAX_PROBLEMS_PER_FILE: Final = 20
"""Bad lines listed for one file; the rest are counted."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that is to be looked at.

    Attributes:
        path: of it.
        known: what the store remembers of it; None where it has nothing.
    """

    path: Path
    known: SourceState | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was found in a file: first how it is, then its passages and what cannot be read of it.

    Attributes:
        path: of the file.
        digest: of its content and of the settings it is split with, in the first part; None in the others, and where it
            cannot be read.
        unchanged: whether the store has it as it is; then there are no others.
        found: a passage or a problem; None in the first part of a file that can be read.
    """

    path: Path
    digest: str | None = None
    unchanged: bool = False
    found: Entry | Problem | None = None


def read_file(splitter: Splitter, file: File) -> Iterator[Part]:
    """Read a file, unless the store has it as it is.

    Args:
        splitter: that cuts it into passages.
        file: to read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "otter.txt")
        ...     _ = path.write_text("Otters hold hands.", encoding="utf-8")
        ...     first, second = read_file(Splitter(), File(path=path, known=None))
        >>> first.unchanged, second.found.text
        (False, 'Otters hold hands.')
    """
    path = file.path
    try:
        digest = _digest(path, splitter)
    except OSError as error:
        yield Part(path=path, found=Problem(path=path.as_posix(), reason=error.strerror or str(error)))
        return
    unchanged = file.known is not None and file.known.digest == digest and file.known.complete
    yield Part(path=path, digest=digest, unchanged=unchanged)
    if not unchanged:
        for found in _found(path, splitter):
            yield Part(path=path, found=found)


def _found(path: Path, splitter: Splitter) -> Iterator[Entry | Problem]:
    problems = 0
    for item in _items(path):
        entries = _section_entries(path, item, splitter) if isinstance(item, Section) else item
        if not isinstance(entries, Problem):
            yield from entries
            continue
        problems += 1
        if problems <= MAX_PROBLEMS_PER_FILE:
            yield entries
    if problems > MAX_PROBLEMS_PER_FILE:
        reason = f"has {problems - MAX_PROBLEMS_PER_FILE} more parts that cannot be read"
        yield Problem(path=path.as_posix(), reason=reason)


def _items(path: Path) -> Iterator[Section | Problem]:
    """Read a file; a reader that is not installed is a problem of this file, not of the others."""
    try:
        yield from load_file(path)
    except MissingExtraError as error:
        yield Problem(path=path.as_posix(), reason=str(error))


def _section_entries(path: Path, section: Section, splitter: Splitter) -> list[Entry] | Problem:
    chunks = enumerate(splitter.split(section))
    try:
        return [_entry(path, section, chunk, part) for part, chunk in chunks]
    except StoreError as error:  # a value that cannot be stored
        return Problem(path=path.as_posix(), reason=str(error))


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


def _digest(path: Path, splitter: Splitter) -> str:
    settings = f"{INGEST_VERSION} {splitter.chunk_size} {splitter.chunk_overlap} {path.suffix.lower()}"
    return hashlib.sha256(f"{settings} {sha256_of(path)}".encode()).hexdigest()
