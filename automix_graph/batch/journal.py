"""The journal of a batch: the rows of the output as they were done, each on disk before it is said to be done.

It only grows. The last row of a key counts, which is the one that the output has; what replaced ones cost counts too.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from automix_graph.batch.rows import Told
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import Line
from automix_graph.recording.appending import append
from automix_graph.recording.configured_file import ConfiguredFile
from automix_graph.recording.settings import Settings
from automix_graph.recording.spending import Spent
from automix_graph.recording.unwritable import unwritable


class BatchJournal(ConfiguredFile):
    """The journal of a batch that is open for writing; a context manager.

    Args:
        path: of the file; made where there is none.
        settings: what its rows have in common.

    Attributes:
        cut: bytes of an unfinished last line that were cut off on opening; its question is asked again.
        spent: on all rows that were there on opening, replaced ones included.
        charged: for them to the ceiling on the cost, in USD.
        unpriced: calls behind them of which not even the worst is known.
        dearest: what was charged for the dearest answer among them, in USD; None where there is none.

    Raises:
        ConfigurationError: the file cannot be written, another process writes it, it holds something else, or rows of
            another configuration.
    """

    holds = "answers"
    writer = "automix batch"
    elsewhere = "choose another output, or delete this file and the output to begin anew"

    def __init__(self, path: Path, settings: Settings) -> None:
        self.spent = Spent()
        self.charged = 0.0
        self.unpriced = 0
        self.dearest: float | None = None
        self._offsets: dict[bytes, int] = {}
        self._failed: set[bytes] = set()
        self._reader: BinaryIO | None = None
        super().__init__(path, settings)

    def close(self) -> None:
        """Close the file and let other processes write it."""
        if self._reader is not None:
            self._reader.close()
        super().close()

    @property
    def count(self) -> int:
        """How many keys had a row on opening."""
        return len(self._offsets)

    def find(self, key: bytes) -> int | None:
        """Return where the row of a key begins; None if there was none on opening."""
        return self._offsets.get(key)

    def has_failed(self, key: bytes) -> bool:
        """Return whether the row of a key is that of a question that failed."""
        return key in self._failed

    def row_at(self, offset: int) -> bytes:
        """Return the line that begins at a place."""
        if self._reader is None:
            self._reader = self.path.open("rb")
        self._reader.seek(offset)
        return self._reader.readline()

    def append(self, lines: bytes) -> int:
        """Write whole lines; they are on disk when this returns. For one caller at a time.

        Returns:
            Where the first of them begins.

        Raises:
            ConfigurationError: they cannot be written; the file is as it was.
        """
        try:
            return append(self._descriptor, lines)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _remember(self, line: Line) -> None:
        assert line.data is not None, "an unfinished line is not shown"
        try:
            told = Told.by(line.data)
        except ValueError as error:
            raise ConfigurationError(
                f"{str(self.path)!r} holds no row at line {line.number}: {error}; restore the file, or "
                f"{self.elsewhere}",
                code="damaged-records",
            ) from error
        self._offsets[told.key] = line.offset
        (self._failed.add if told.failed else self._failed.discard)(told.key)
        self.spent += told.spent
        self.charged += told.charged
        self.unpriced += told.unpriced
        if not told.failed:
            self.dearest = max(self.dearest or 0.0, told.charged)
