"""Passages, their search terms and the state of ingestion, in one SQLite file.

Each passage has a number that is never used again; the numbers name the vectors of the FAISS index. Nothing here knows
vectors or locks: the caller lets nobody read while it writes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import StoreError
from automix_graph.retrieval.connections import SHORT, ReaderPool, connect, in_parts, marks
from automix_graph.retrieval.entries import Change, Entry, SourceState, checksum
from automix_graph.retrieval.filters import Filter, compile_filter
from automix_graph.retrieval.metrics import Matrix, Numbers
from automix_graph.retrieval.terms import TOKENIZER, index_terms, match_expression

SCHEMA: Final = f"""
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    source TEXT
);
CREATE INDEX passages_by_source ON passages (source) WHERE source IS NOT NULL;
CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    passages INTEGER NOT NULL,
    complete INTEGER NOT NULL
);
-- Contentless: the terms can be had again from the text, so keeping them twice would only cost disk.
CREATE VIRTUAL TABLE terms USING fts5 (words, content = '', tokenize = "{TOKENIZER}");
"""

FILTERS_REMEMBERED: Final = 8
"""Filters whose passages are kept between two writes: a retriever asks with the same one again and again."""

Row = tuple[int, str, str, str, int]
"""Number, id, text, metadata as JSON, checksum."""


_read_json: Final = json.JSONDecoder().raw_decode
"""``json.loads`` without what guards it against other input than our own; half of the time for short texts."""

_SELECT: Final = "SELECT number, id, text, metadata, checksum FROM passages"
_RESTORE: Final = "restore the folder from a copy, or build the store again"


def document_of(row: Row, vector: Matrix) -> Document:
    """Return a stored passage as a document.

    Raises:
        StoreError: it is not what was stored, or its vector is not.
    """
    number, id_, text, metadata, stored = row
    if checksum(id_, text, metadata, vector) != stored:
        raise StoreError(f"passage {id_!r} (number {number}) or its vector is damaged: {_RESTORE}")
    return Document(id=id_, page_content=text, metadata=_read_json(metadata)[0])


class Passages:
    """One SQLite file of passages, read by many threads and written by one.

    Args:
        path: of the file.
        published: the file belongs to a saved store and must never change.
    """

    def __init__(self, path: Path, *, published: bool) -> None:
        self.published = published
        self._path = path
        self._filtered: OrderedDict[str, Numbers] = OrderedDict()
        self._filtering = threading.Lock()
        self._readers = ReaderPool(path, immutable=published)
        self._writer: sqlite3.Connection | None = None
        if not published:
            self._writer = connect(path, options="mode=rw")
            # The file is a private working copy: it must roll back, but need not survive a crash.
            self._writer.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")

    @classmethod
    def create(cls, path: Path) -> Passages:
        """Make an empty file and open it for writing."""
        with closing(connect(path, options="mode=rwc")) as connection:
            try:
                connection.executescript(f"PRAGMA synchronous = OFF; BEGIN; {SCHEMA} COMMIT;")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                    raise
                raise StoreError(
                    f"SQLite {sqlite3.sqlite_version} cannot make the tables of a store ({error}): it needs the FTS5 "
                    "extension and JSON functions, which Python's own builds of SQLite 3.38 and later have",
                    code="store-folder",
                ) from error
        return cls(path, published=False)

    def copy(self, path: Path) -> Passages:
        """Copy everything to a new file and open that for writing."""
        with closing(connect(path, options="mode=rwc")) as target, self._readers.reading() as source:
            target.execute("PRAGMA synchronous = OFF")
            source.backup(target)
        return type(self)(path, published=False)

    def write_compact(self, path: Path) -> None:
        """Write everything to a new file, without the remains of deleted passages."""
        with self._readers.reading() as connection:
            connection.execute("VACUUM INTO ?", [str(path)])

    def close(self) -> None:
        """Close all connections."""
        self._readers.close()
        if self._writer is not None:
            self._writer.close()

    # Reading

    def bounds(self) -> tuple[int, int] | None:
        """Return the smallest and the largest number, at once; None where there is no passage."""
        with self._reading() as connection:
            sql = "SELECT (SELECT min(number) FROM passages), (SELECT max(number) FROM passages)"
            low, high = connection.execute(sql).fetchone()
        return None if low is None else (low, high)

    def numbers_where(self, wanted: Filter) -> Numbers:
        """Return the numbers of the passages whose metadata pass a filter, ascending."""
        if not isinstance(wanted, Mapping):
            with self._reading() as connection:
                return _numbers(list(_where_true(connection, wanted)))
        sql, parameters = compile_filter(wanted)
        key = json.dumps([sql, parameters])
        with self._filtering:
            if key in self._filtered:
                self._filtered.move_to_end(key)
                return self._filtered[key]
        with self._reading() as connection:
            rows = connection.execute(f"SELECT number FROM passages WHERE {sql} ORDER BY number", parameters)
            numbers = np.fromiter((number for (number,) in rows), dtype=np.int64)
        with self._filtering:
            self._filtered[key] = numbers
            while len(self._filtered) > FILTERS_REMEMBERED:
                self._filtered.popitem(last=False)
        return numbers

    def bm25(self, query: str, k: int, allowed: Numbers | None) -> list[tuple[int, float]]:
        """Return the k best (number, BM25 score) among the allowed numbers (None: all), best first."""
        expression = match_expression(query)
        if expression is None:
            return []
        where, parameters = "terms MATCH ?", [expression]
        if allowed is not None:
            # The plus keeps SQLite from running the search once for each allowed number.
            where += " AND +rowid IN (SELECT value FROM json_each(?))"
            parameters.append(json.dumps(allowed.tolist()))
        sql = f"SELECT rowid, -bm25(terms) FROM terms WHERE {where} ORDER BY bm25(terms), rowid LIMIT ?"
        with self._reading() as connection:
            return connection.execute(sql, [*parameters, k]).fetchall()

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, Row]:
        """Return the passages with these numbers that exist."""
        return {row[0]: row for row in self._rows("number", list(numbers))}

    def by_ids(self, ids: Sequence[str]) -> list[Row]:
        """Return the passages with these ids that exist, in the order of the ids, each once."""
        found = {row[1]: row for part in in_parts(ids) for row in self._rows("id", part)}
        return [found[id_] for id_ in dict.fromkeys(ids) if id_ in found]

    def missing(self, numbers: Numbers) -> Numbers:
        """Return those of the numbers that no passage has."""
        with self._reading() as connection:
            sql = "SELECT number FROM passages WHERE number IN (SELECT value FROM json_each(?))"
            present = [number for (number,) in connection.execute(sql, [json.dumps(numbers.tolist())])]
        return np.setdiff1d(numbers, _numbers(present))

    def source_states(self) -> dict[str, SourceState]:
        """Return what ingestion knows of each source."""
        with self._reading() as connection:
            rows = connection.execute("SELECT source, digest, passages, complete FROM sources").fetchall()
        return {
            source: SourceState(source=source, digest=digest, passages=passages, complete=bool(complete))
            for source, digest, passages, complete in rows
        }

    def _rows(self, column: str, values: list[Any]) -> list[Row]:
        with self._reading() as connection:
            if len(values) <= SHORT:
                return connection.execute(f"{_SELECT} WHERE {column} IN ({marks(values)})", values).fetchall()
            sql = f"{_SELECT} WHERE {column} IN (SELECT value FROM json_each(?))"
            return connection.execute(sql, [json.dumps(values)]).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._readers.reading() as connection:
            try:
                yield connection
            except sqlite3.DatabaseError as error:
                folder = str(self._path.parent)
                raise StoreError(
                    f"{self._path.name!r} in the store at {folder!r} is no readable SQLite file ({error}): {_RESTORE}",
                    path=folder,
                ) from error

    # Writing

    @contextmanager
    def changing(self, change: Change, vectors: Matrix) -> Iterator[tuple[Numbers, Numbers]]:
        """Make a change in one transaction; give the numbers (removed, added), and commit when the block ends well.

        Args:
            change: what to do.
            vectors: of the passages put, as the index holds them, for their checksums.
        """
        writer = self._require_writer()
        with self._filtering:
            self._filtered.clear()
        writer.execute("BEGIN IMMEDIATE")
        try:
            removed = _remove(writer, change)
            added = [_insert(writer, entry, vector) for entry, vector in zip(change.put, vectors, strict=True)]
            _record(writer, change)
            yield _numbers(removed), _numbers(added)
            writer.execute("COMMIT")
        finally:
            if writer.in_transaction:
                writer.execute("ROLLBACK")

    def _require_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StoreError(
                "the published file of a store cannot be changed; write to a copy of it", code="store-closed"
            )
        return self._writer


def _where_true(connection: sqlite3.Connection, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[int]:
    # Closed explicitly: a cursor that an exception leaves half read would keep the next writer out.
    with closing(connection.execute("SELECT number, metadata FROM passages ORDER BY number")) as rows:
        for number, metadata in rows:
            if wanted(json.loads(metadata)):
                yield number


def _remove(writer: sqlite3.Connection, change: Change) -> list[int]:
    doomed: dict[int, None] = {}
    if change.everything:
        doomed |= dict.fromkeys(n for (n,) in writer.execute("SELECT number FROM passages"))
    ids = [*change.remove, *(entry.id for entry in change.put)]
    for column, values in (("id", ids), ("source", change.remove_sources)):
        for part in in_parts(values):
            sql = f"SELECT number FROM passages WHERE {column} IN ({marks(part)})"
            doomed |= dict.fromkeys(n for (n,) in writer.execute(sql, part))
    for number in doomed:
        (text,) = writer.execute("SELECT text FROM passages WHERE number = ?", [number]).fetchone()
        # A contentless table forgets a row only when it is told the row's exact terms.
        writer.execute("INSERT INTO terms (terms, rowid, words) VALUES ('delete', ?, ?)", [number, index_terms(text)])
        writer.execute("DELETE FROM passages WHERE number = ?", [number])
    return list(doomed)


def _insert(writer: sqlite3.Connection, entry: Entry, vector: Matrix) -> int:
    total = checksum(entry.id, entry.text, entry.metadata, vector)
    row = [entry.id, entry.text, entry.metadata, total, entry.source]
    sql = "INSERT INTO passages (id, text, metadata, checksum, source) VALUES (?, ?, ?, ?, ?) RETURNING number"
    number = int(writer.execute(sql, row).fetchone()[0])
    writer.execute("INSERT INTO terms (rowid, words) VALUES (?, ?)", [number, index_terms(entry.text)])
    return number


def _record(writer: sqlite3.Connection, change: Change) -> None:
    if change.everything:
        writer.execute("DELETE FROM sources")
    writer.executemany("DELETE FROM sources WHERE source = ?", [[source] for source in change.remove_sources])
    writer.executemany(
        "INSERT OR REPLACE INTO sources (source, digest, passages, complete) VALUES (?, ?, ?, ?)",
        [[state.source, state.digest, state.passages, int(state.complete)] for state in change.states],
    )


def _numbers(values: list[int]) -> Numbers:
    return np.asarray(values, dtype=np.int64)
