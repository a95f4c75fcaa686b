"""Rows of float32 numbers in a file, all of them mapped, or some of them read by their positions.

Who compares with every row takes the mapping, which needs no copy. Single rows of a large file are read without it:
pages that a mapping has touched count as memory of the process, sixteen around each row, and after some thousand
searches that is the whole file. Knows no number of a passage and no metric.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from automix_graph.errors import StoreError
from automix_graph.retrieval.metrics import Matrix, Numbers

MAPPED_UP_TO: Final = 32 * 2**20
"""Bytes of rows up to which single rows come from the mapping too: 21,000 rows of 384 dimensions."""

BLOCK_BYTES: Final = 3 * 2**20
"""Bytes read at once where all rows are copied."""

DENSE: Final = 4
"""Rows read for each wanted one, where they lie near each other, before each is read alone."""

JOINED: Final = 1024
"""Rows that are read one by one and then joined, which holds them twice for a moment."""

_READS_AT: Final = hasattr(os, "preadv")
"""Whether the system reads at a position without seeking, so that threads can share a file; Windows does not."""


class VectorFile:
    """The rows of one file, which only grows; any number of threads may read.

    Args:
        path: of the file; it may be unlinked while this object is open.
        offset: of the first row, in bytes.
        dimension: components of each row.
        count: rows in it.
    """

    def __init__(self, path: Path, *, offset: int, dimension: int, count: int) -> None:
        self._path = path
        self._offset = offset
        self._dimension = dimension
        self._row_bytes = dimension * 4
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._finalizer = weakref.finalize(self, os.close, self._descriptor)
        self.resize(count)

    def resize(self, count: int) -> None:
        """Read this many rows from now on; nobody may read meanwhile."""
        self._count = count
        self._reads = _READS_AT and count * self._row_bytes > MAPPED_UP_TO
        self._mapped: Matrix = np.empty((0, self._dimension), dtype=np.float32)
        if count:
            mapped = np.memmap(self._path, np.float32, "r", self._offset, shape=(count, self._dimension))
            self._mapped = np.asarray(mapped)  # whose rows are arrays, which takes less time than more such maps

    def close(self) -> None:
        """Close the file."""
        self._mapped = np.empty((0, self._dimension), dtype=np.float32)
        self._finalizer()

    @property
    def mapped(self) -> Matrix:
        """All rows, shape (count, dimension), in memory that belongs to the file."""
        return self._mapped

    def blocks(self) -> Iterator[tuple[int, Matrix]]:
        """Give all rows, some at a time, each time with the position of the first.

        The rows are valid until the next ones are asked for.
        """
        most = max(BLOCK_BYTES // self._row_bytes, 1)
        buffer = np.empty((min(most, self._count), self._dimension), dtype=np.float32)
        for first in range(0, self._count, most):
            rows = buffer[: self._count - first]
            if self._reads:
                self._fill(rows, first)
            else:
                rows[:] = self._mapped[first : first + most]
            yield first, rows

    def at(self, positions: Numbers) -> Matrix:
        """Return the rows at some positions, shape (n, dimension).

        Raises:
            StoreError: the file has no such row, or has become shorter.
        """
        wanted: list[int] = positions.tolist()
        if not wanted:
            return np.empty((0, self._dimension), dtype=np.float32)
        low, high = min(wanted), max(wanted)
        if low < 0 or high >= self._count:
            raise StoreError(f"{str(self._path)!r} has no row for a passage that the index knows: build it again")
        if not self._reads:
            return self._mapped[positions]
        if high - low < DENSE * len(wanted):
            span = np.empty((high - low + 1, self._dimension), dtype=np.float32)
            self._fill(span, low)
            return span[positions - low]
        if len(wanted) <= JOINED:
            return self._read(wanted)
        rows: Matrix = np.empty((len(wanted), self._dimension), dtype=np.float32)
        for start in range(0, len(wanted), JOINED):
            rows[start : start + JOINED] = self._read(wanted[start : start + JOINED])
        return rows

    def _read(self, wanted: list[int]) -> Matrix:
        descriptor, size, offset = self._descriptor, self._row_bytes, self._offset
        read = b"".join([os.pread(descriptor, size, offset + size * position) for position in wanted])
        if len(read) != size * len(wanted):
            raise self._truncated()
        return np.frombuffer(read, dtype=np.float32).reshape(-1, self._dimension)

    def _fill(self, rows: Matrix, first: int) -> None:
        view, done = rows.data.cast("B"), 0
        while done < len(view):
            got = os.preadv(self._descriptor, [view[done:]], self._offset + first * self._row_bytes + done)
            if got == 0:
                raise self._truncated()
            done += got

    def _truncated(self) -> StoreError:
        return StoreError(
            f"{str(self._path)!r} is shorter than it was: restore it from a copy, or build the store again"
        )
