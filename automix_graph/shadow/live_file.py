"""The file of records that several processes append to, and what all of them together have spent by it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Final

from automix_graph.recording.appending import append, append_line, closing, lock_of, mend, open_for_appending
from automix_graph.recording.handler import check_live_file
from automix_graph.records import Recorded

_PATIENCE: Final = 30.0
"""Seconds to wait for other processes; nobody else waits meanwhile."""


class LiveFile:
    """Appends records, one whole line at a time; safe under threads and processes.

    Args:
        path: of the file; made where there is none.

    Raises:
        ConfigurationError: it cannot be written, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._seen = 0
        check_live_file(self.path)

    def append(self, recorded: Recorded) -> float:
        """Write a record; return what others have spent by the records that they wrote since the last call, in USD.

        Raises:
            OSError: it cannot be written.
            Timeout: another process holds the file.
        """
        with self._lock, lock_of(self.path).acquire(timeout=_PATIENCE), closing(open_for_appending(self.path)) as file:
            mend(file, self.path)
            others = self._spent_by_others(file)
            append_line(file, recorded.to_json())
            self._seen = os.lseek(file, 0, os.SEEK_END)
        return others

    def catch_up(self) -> float:
        """Return what was spent by the records that are there and were not seen yet, in USD."""
        with self._lock, lock_of(self.path).acquire(timeout=_PATIENCE), closing(open_for_appending(self.path)) as file:
            mend(file, self.path)
            return self._spent_by_others(file)

    def test(self, size: int) -> None:
        """Raise where no line of so many bytes can be written; the file is as it was.

        Raises:
            ConfigurationError: it cannot be opened any more.
            OSError: it cannot be written.
            Timeout: another process holds the file.
        """
        with self._lock, lock_of(self.path).acquire(timeout=_PATIENCE), closing(open_for_appending(self.path)) as file:
            mend(file, self.path)
            # Should the process end before it is taken back, this is the unfinished line that the next one cuts off.
            end = append(file, b"{".ljust(size))
            os.ftruncate(file, end)

    def _spent_by_others(self, file: int) -> float:
        end = os.lseek(file, 0, os.SEEK_END)
        if end <= self._seen:
            self._seen = end  # somebody has begun the file anew
            return 0.0
        with os.fdopen(os.dup(file), "rb") as lines:
            lines.seek(self._seen)
            spent = sum(map(_spent, lines))
        self._seen = end
        return spent


def _spent(line: bytes) -> float:
    try:
        data: dict[str, Any] = json.loads(line)
        return float(data["charged"])
    except (KeyError, TypeError, ValueError):
        return 0.0  # no line of this writer; who reads the records will say so
