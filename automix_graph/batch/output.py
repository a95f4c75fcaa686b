"""The output of a batch: rows of the journal in the order that was asked for.

It follows from input and journal. So nothing depends on it, and what is missing or damaged in it is written again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from automix_graph.batch.options import Order
from automix_graph.recording.appending import open_for_appending
from automix_graph.recording.unwritable import unwritable


class Output:
    """A file that grows row by row.

    What a former run wrote stays as far as it is what this one writes, so that a job that goes on does not begin by
    taking back what it had.

    Args:
        path: of the file; made where there is none.
        order: ``"input"`` holds back a row until all before it are there.
        row_at: returns the line of the journal that begins at a place.

    Raises:
        ConfigurationError: the file cannot be opened.
    """

    def __init__(self, path: Path, *, order: Order, row_at: Callable[[int], bytes]) -> None:
        self._path = path
        self._order = order
        self._row_at = row_at
        self._next = 0
        self._held_back: dict[int, int] = {}
        self._length = 0
        self._descriptor = open_for_appending(path)
        self._former: BinaryIO | None = path.open("rb")

    def place(self, position: int, offset: int) -> None:
        """Take in a row.

        Args:
            position: of its question among all that can be asked, from 0.
            offset: of its line in the journal.

        Raises:
            ConfigurationError: it cannot be written.
        """
        if self._order == "completed":
            self._write(offset)
            return
        self._held_back[position] = offset
        while (ready := self._held_back.pop(self._next, None)) is not None:
            self._write(ready)
            self._next += 1

    def close(self) -> None:
        """Write the rows that were held back, in their order, and nothing after them; wait until all is on disk.

        Raises:
            ConfigurationError: they cannot be written.
        """
        try:
            for position in sorted(self._held_back):
                self._write(self._held_back[position])
            self._forget_former()
            os.fsync(self._descriptor)
        except OSError as error:
            raise unwritable(self._path, error) from error
        finally:
            if self._former is not None:
                self._former.close()
            os.close(self._descriptor)

    def _write(self, offset: int) -> None:
        line = self._row_at(offset)
        if self._former is None or self._former.read(len(line)) != line:
            self._forget_former()
            self._append(line)
        self._length += len(line)

    def _append(self, line: bytes) -> None:
        # One write for each row, so that it is there for other processes at once, and whole.
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise unwritable(self._path, error) from error
        if written != len(line):
            raise unwritable(self._path, OSError(f"only {written} of {len(line)} bytes could be written"))

    def _forget_former(self) -> None:
        """Cut off what a former run wrote after the rows that this one has written."""
        if self._former is not None:
            self._former.close()
            self._former = None
            os.ftruncate(self._descriptor, self._length)
