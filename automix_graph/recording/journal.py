"""The file of records while it grows: one line at a time, by one writer, resumed where it stopped.

The first line says what all records have in common, so that a file cannot mix two configurations. Every other line is
a `Recorded`; the last one of an id counts. Nothing here asks a model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from filelock import Timeout

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import Line, lines_of
from automix_graph.recording.appending import append_line, first_bytes, lock_of, mend, open_for_appending
from automix_graph.recording.settings import SETTINGS_LINE, Settings
from automix_graph.recording.spending import Spent
from automix_graph.records import Recorded

_ELSEWHERE: Final = "choose another file (--out)"
_SOMETHING_ELSE: Final = f"holds something else than records that 'automix record' wrote; {_ELSEWHERE}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is remembered of a line.

    Attributes:
        row: fingerprint of its row.
        error: why the question failed.
        scores: by tier.
    """

    row: str
    error: str | None
    scores: Mapping[str, float]


class Journal:
    """A file of records that is open for writing; a context manager.

    Args:
        path: of the file; made where there is none.
        settings: what its records have in common.

    Attributes:
        entries: the last line of each id.
        replaced: how many lines were replaced by later ones.
        cut: bytes of an unfinished last line that were cut off on opening; its question is recorded again.
        spent: on all lines, replaced ones included.

    Raises:
        ConfigurationError: the file cannot be written, another process writes it, it holds something else, or records
            of another configuration.
    """

    def __init__(self, path: str | Path, settings: Settings) -> None:
        self.path = Path(path)
        self.settings = settings
        self.entries: dict[str, Entry] = {}
        self.replaced = 0
        self.cut = 0
        self.spent = Spent()
        self._descriptor = open_for_appending(self.path)
        self._lock = lock_of(self.path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            os.close(self._descriptor)
            raise ConfigurationError(
                f"another process is writing {str(self.path)!r}; wait for it, or {_ELSEWHERE}"
            ) from error
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    def append(self, recorded: Recorded) -> None:
        """Write a record; it is on disk when this returns.

        Raises:
            OSError: it cannot be written; the file is as it was.
        """
        append_line(self._descriptor, recorded.to_json())
        self._remember(recorded)

    def close(self) -> None:
        """Close the file and let other processes write it."""
        os.close(self._descriptor)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _resume(self) -> None:
        with self.path.open("rb") as file:
            first = True
            for line in lines_of(file, self.path):
                if line.data is None:
                    self._require_own_beginning(first=first)
                    break
                if first:
                    self._require_settings(line)
                elif not line.is_settings:
                    self._remember(self._recorded(line))
                first = False
        self.cut = mend(self._descriptor, self.path)
        if first:
            append_line(self._descriptor, self.settings.to_json())

    def _require_own_beginning(self, *, first: bool) -> None:
        """Refuse a file that holds one unfinished line, and not the beginning of one that is written here."""
        if not first:
            return
        beginning = first_bytes(self.path, len(SETTINGS_LINE))
        if not SETTINGS_LINE.startswith(beginning):
            raise ConfigurationError(f"{str(self.path)!r} {_SOMETHING_ELSE}")

    def _require_settings(self, line: Line) -> None:
        if not line.is_settings or line.data is None:
            raise ConfigurationError(f"{str(self.path)!r} {_SOMETHING_ELSE}")
        if line.data.get("fingerprint") == self.settings.fingerprint:
            return
        raise ConfigurationError(
            f"{str(self.path)!r} holds records of another configuration: {self._differences(line.data)}; give the same "
            f"configuration to go on, or {_ELSEWHERE}"
        )

    def _differences(self, data: Mapping[str, Any]) -> str:
        there = data.get("settings")
        found = self.settings.differences(there) if isinstance(there, dict) else ()
        return "; ".join(found) or "its settings cannot be compared"

    def _recorded(self, line: Line) -> Recorded:
        try:
            recorded = Recorded.from_data(line.data)
        except ValueError as error:
            raise ConfigurationError(
                f"{str(self.path)!r} holds no record at line {line.number}: {error}; restore the file, or {_ELSEWHERE}"
            ) from error
        if recorded.settings != self.settings.fingerprint:
            raise ConfigurationError(
                f"{str(self.path)!r} holds a record of another configuration at line {line.number}; {_ELSEWHERE}"
            )
        return recorded

    def _remember(self, recorded: Recorded) -> None:
        self.replaced += recorded.id in self.entries
        self.entries[recorded.id] = Entry(row=recorded.row, error=recorded.error, scores=recorded.scores)
        self.spent += Spent.on(recorded)
