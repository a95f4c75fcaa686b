"""The file of records while it grows: one line at a time, by one writer, resumed where it stopped.

Every line but the first is a `Recorded`; the last one of an id counts. Nothing here asks a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import Line
from automix_graph.recording.appending import append_line
from automix_graph.recording.configured_file import ConfiguredFile
from automix_graph.recording.settings import Settings
from automix_graph.recording.spending import Spent
from automix_graph.recording.unwritable import unwritable
from automix_graph.records import Recorded


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


class Journal(ConfiguredFile):
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

    holds = "records"
    writer = "automix record"
    elsewhere = "choose another file (--out)"

    def __init__(self, path: str | Path, settings: Settings) -> None:
        self.entries: dict[str, Entry] = {}
        self.replaced = 0
        self.spent = Spent()
        super().__init__(path, settings)

    def append(self, recorded: Recorded) -> None:
        """Write a record; it is on disk when this returns.

        Raises:
            ConfigurationError: it cannot be written; the file is as it was.
        """
        try:
            append_line(self._descriptor, recorded.to_json())
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._add(recorded)

    def _remember(self, line: Line) -> None:
        try:
            recorded = Recorded.from_data(line.data)
        except ValueError as error:
            raise ConfigurationError(
                f"{str(self.path)!r} holds no record at line {line.number}: {error}; restore the file, or "
                f"{self.elsewhere}",
                code="damaged-records",
            ) from error
        if recorded.settings != self.settings.fingerprint:
            raise ConfigurationError(
                f"{str(self.path)!r} holds a record of another configuration at line {line.number}; {self.elsewhere}",
                code="other-configuration",
            )
        self._add(recorded)

    def _add(self, recorded: Recorded) -> None:
        self.replaced += recorded.id in self.entries
        self.entries[recorded.id] = Entry(row=recorded.row, error=recorded.error, scores=recorded.scores)
        self.spent += Spent.on(recorded)
