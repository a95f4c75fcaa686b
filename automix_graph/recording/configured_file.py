"""A file of lines that all come from one configuration: appended to by one writer, resumed where it stopped.

The first line says what all others have in common, so that a file cannot mix two configurations. What the others hold
is up to the class of file.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from filelock import Timeout

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import Line, lines_of
from automix_graph.recording.appending import append_line, first_bytes, lock_of, mend, open_for_appending
from automix_graph.recording.settings import SETTINGS_LINE, Settings
from automix_graph.recording.unwritable import unwritable


class ConfiguredFile(ABC):
    """A file of lines of one configuration that is open for writing; a context manager.

    Args:
        path: of the file; made where there is none.
        settings: what its lines have in common.

    Attributes:
        holds: what its lines are, for errors.
        writer: the command that writes them, for errors.
        elsewhere: what to do where the file cannot be gone on with, for errors.
        cut: bytes of an unfinished last line that were cut off on opening.

    Raises:
        ConfigurationError: the file cannot be written, another process writes it, it holds something else, or lines of
            another configuration.
    """

    holds: ClassVar[str]
    writer: ClassVar[str]
    elsewhere: ClassVar[str]

    def __init__(self, path: str | Path, settings: Settings) -> None:
        self.path = Path(path)
        self.settings = settings
        self.cut = 0
        self._descriptor = open_for_appending(self.path)
        self._lock = lock_of(self.path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            os.close(self._descriptor)
            raise ConfigurationError(
                f"another process is writing {str(self.path)!r}; wait for it, or {self.elsewhere}", code="file-in-use"
            ) from error
        try:
            self._resume()
        except OSError as error:
            self.close()
            raise unwritable(self.path, error) from error
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _remember(self, line: Line) -> None:
        """Take in a line that was there on opening; the first one, which holds the settings, is not shown."""

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
                    self._remember(line)
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
            raise self._something_else()

    def _require_settings(self, line: Line) -> None:
        if not line.is_settings or line.data is None:
            raise self._something_else()
        if line.data.get("fingerprint") == self.settings.fingerprint:
            return
        raise ConfigurationError(
            f"{str(self.path)!r} holds {self.holds} of another configuration: {self._differences(line.data)}; give the "
            f"same configuration to go on, or {self.elsewhere}",
            code="other-configuration",
        )

    def _something_else(self) -> ConfigurationError:
        return ConfigurationError(
            f"{str(self.path)!r} holds something else than {self.holds} that {self.writer!r} wrote; {self.elsewhere}",
            code="file-of-something-else",
        )

    def _differences(self, data: Mapping[str, Any]) -> str:
        there = data.get("settings")
        found = self.settings.differences(there) if isinstance(there, dict) else ()
        return "; ".join(found) or "its settings cannot be compared"
