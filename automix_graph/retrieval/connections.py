"""SQLite connections: a fixed pool of read-only ones that threads borrow; and lists of values as parameters.

Knows paths and connections, no tables.
"""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from automix_graph.retrieval.entries import is_text

POOL_SIZE: Final = 4
"""Readers inside SQLite at the same time; more than the cores of most machines only adds open files."""

SHORT: Final = 64
"""Values that are given to SQLite one by one, which is faster than as JSON; each number of them is a statement."""


def marks(values: Sequence[Any]) -> str:
    """Return a question mark for each value.

    Example:
        >>> marks(["a", "b"])
        '?,?'
    """
    return ",".join("?" * len(values))


def in_parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Give texts as lists of at most `SHORT`, to be parameters: as JSON, SQLite would end each at its first NUL.

    Those with a lone surrogate are left out, because no file of SQLite can have them.

    Example:
        >>> [len(part) for part in in_parts(["a"] * 100)]
        [64, 36]
    """
    known = [text for text in texts if is_text(text)]
    return (known[start : start + SHORT] for start in range(0, len(known), SHORT))


def connect(path: Path, *, options: str) -> sqlite3.Connection:
    """Open a connection with URI options, in autocommit mode, usable from any one thread at a time."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, check_same_thread=False
    )


class ReaderPool:
    """Read-only connections to one file.

    All are opened at once, because the file may be unlinked later: publishing a new generation of a store removes the
    old one, and whoever has it open goes on reading.
    """

    def __init__(self, path: Path, *, immutable: bool) -> None:
        options = "mode=ro&immutable=1" if immutable else "mode=ro"
        self._connections: list[sqlite3.Connection] = []
        self._idle: list[sqlite3.Connection] = []
        self._permits: queue.SimpleQueue[None] = queue.SimpleQueue()
        try:
            for _ in range(POOL_SIZE):
                connection = connect(path, options=options)
                self._connections.append(connection)
                # SQLite opens the file on first use; without this a later first use may find it gone.
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                self._give_back(connection)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Borrow a connection, waiting for a free one."""
        self._permits.get()
        connection = self._idle.pop()  # the last one used, whose cache is warm; there is one for each permit
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        self._permits.put(None)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()
