"""Passages, their search terms and the state of ingestion, in one SQLite file.

Each passage has a number that is never used again; the numbers name the vectors of the FAISS index. Nothing here knows
vectors or locks: the caller lets nobody read while it writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import StoreError
from automix_graph.retrieval.connections import ReaderPool, connect
from automix_graph.retrieval.entries import Change, SourceState
from automix_graph.retrieval.filters import Filter, compile_filter
from automix_graph.retrieval.terms import TOKENIZER, index_terms, match_expression
from automix_graph.retrieval.vectors import Numbers

SCHEMA: Final = f"""
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
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


class Passages:
    """One SQLite file of passages, read by many threads and written by one.

    Args:
        path: of the file.
        published: the file belongs to a saved store and must never change.
    """

    def __init__(self, path: Path, *, published: bool) -> None:
        self.published = published
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
                raise StoreError(
                    f"SQLite {sqlite3.sqlite_version} cannot make the tables of a store ({error}): it needs the FTS5 "
                    "extension and JSON functions, which Python's own builds of SQLite 3.38 and later have"
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

    def count(self) -> int:
        """Return the number of passages."""
        return int(self._one("SELECT count(*) FROM passages", []))

    def numbers_where(self, wanted: Filter) -> Numbers:
        """Return the numbers of the passages whose metadata pass a filter, ascending."""
        with self._readers.reading() as connection:
            if not isinstance(wanted, Mapping):
                return _numbers(list(_where_true(connection, wanted)))
            sql, parameters = compile_filter(wanted)
            rows = connection.execute(f"SELECT number FROM passages WHERE {sql} ORDER BY number", parameters)
            return _numbers([number for (number,) in rows])

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
        with self._readers.reading() as connection:
            return [(number, score) for number, score in connection.execute(sql, [*parameters, k])]

    def by_numbers(self, numbers: Sequence[int]) -> list[Document]:
        """Return the passages with these numbers, in this order."""
        found = dict(self._documents("number", list(numbers)))
        return [found[number] for number in numbers]

    def by_ids(self, ids: Sequence[str]) -> list[Document]:
        """Return the passages with these ids that exist, in the order of the ids, each once."""
        found = {document.id: document for _, document in self._documents("id", list(ids))}
        return [found[id_] for id_ in dict.fromkeys(ids) if id_ in found]

    def missing(self, numbers: Numbers) -> Numbers:
        """Return those of the numbers that no passage has."""
        with self._readers.reading() as connection:
            sql = "SELECT number FROM passages WHERE number IN (SELECT value FROM json_each(?))"
            present = [number for (number,) in connection.execute(sql, [json.dumps(numbers.tolist())])]
        return np.setdiff1d(numbers, _numbers(present))

    def source_states(self) -> dict[str, SourceState]:
        """Return what ingestion knows of each source."""
        with self._readers.reading() as connection:
            rows = connection.execute("SELECT source, digest, passages, complete FROM sources").fetchall()
        return {
            source: SourceState(source=source, digest=digest, passages=passages, complete=bool(complete))
            for source, digest, passages, complete in rows
        }

    def _documents(self, column: str, values: list[Any]) -> Iterator[tuple[int, Document]]:
        sql = f"SELECT number, id, text, metadata FROM passages WHERE {column} IN (SELECT value FROM json_each(?))"
        with self._readers.reading() as connection:
            rows = connection.execute(sql, [json.dumps(values)]).fetchall()
        for number, id_, text, metadata in rows:
            yield number, Document(id=id_, page_content=text, metadata=json.loads(metadata))

    def _one(self, sql: str, parameters: list[Any]) -> Any:
        with self._readers.reading() as connection:
            return connection.execute(sql, parameters).fetchone()[0]

    # Writing

    @contextmanager
    def changing(self, change: Change) -> Iterator[tuple[Numbers, Numbers]]:
        """Make a change in one transaction; give the numbers (removed, added), and commit when the block ends well."""
        writer = self._require_writer()
        writer.execute("BEGIN IMMEDIATE")
        try:
            removed = _remove(writer, change)
            added = [_insert(writer, entry.id, entry.text, entry.metadata, entry.source) for entry in change.put]
            _record(writer, change)
            yield _numbers(removed), _numbers(added)
            writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"the passages could not be written, and nothing has changed: {error}") from error
        finally:
            if writer.in_transaction:
                writer.execute("ROLLBACK")

    def _require_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StoreError("the published file of a store cannot be changed; write to a copy of it")
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
    for column, values in (("id", ids), ("source", list(change.remove_sources))):
        sql = f"SELECT number FROM passages WHERE {column} IN (SELECT value FROM json_each(?))"
        doomed |= dict.fromkeys(n for (n,) in writer.execute(sql, [json.dumps(values)]))
    for number in doomed:
        (text,) = writer.execute("SELECT text FROM passages WHERE number = ?", [number]).fetchone()
        # A contentless table forgets a row only when it is told the row's exact terms.
        writer.execute("INSERT INTO terms (terms, rowid, words) VALUES ('delete', ?, ?)", [number, index_terms(text)])
        writer.execute("DELETE FROM passages WHERE number = ?", [number])
    return list(doomed)


def _insert(writer: sqlite3.Connection, id_: str, text: str, metadata: str, source: str | None) -> int:
    row = [id_, text, metadata, source]
    sql = "INSERT INTO passages (id, text, metadata, source) VALUES (?, ?, ?, ?) RETURNING number"
    number = int(writer.execute(sql, row).fetchone()[0])
    writer.execute("INSERT INTO terms (rowid, words) VALUES (?, ?)", [number, index_terms(text)])
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
