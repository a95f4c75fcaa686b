"""Files of records: JSON Lines as ``automix record`` writes them, or Parquet made of them.

A file of JSON Lines grows at its end only. So the last line of an id is the one that counts, and a last line that was
not finished, because its writer was stopped or still writes, is no error. Nothing here writes, scores or decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.arrow import require_pyarrow
from automix_graph.records import Recorded

PARQUET_COLUMN: Final = "record"
"""Holds the whole line of each record, as `Recorded.to_json` wrote it."""
PARQUET_SETTINGS: Final = b"automix_graph.settings"
"""Names the settings of a Parquet file in the metadata of its schema: the same object as the first line of the other
kind of file."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class RecordFile:
    """The records of a file.

    Attributes:
        rows: the last record of each id, in the order in which the ids first appear.
        settings: fingerprint of all that the records have in common; None where they carry none.
        described: the same settings in words, where the file tells them.
        replaced: records that were left out since a later one has the same id.
        unfinished: whether the last line was left out since it was not finished.
    """

    rows: tuple[Recorded, ...]
    settings: str | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    replaced: int = 0
    unfinished: bool = False

    @property
    def failed(self) -> tuple[Recorded, ...]:
        """The records of questions that failed; nothing about them can be compared."""
        return tuple(row for row in self.rows if row.error is not None)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a file of JSON Lines.

    Attributes:
        number: from 1.
        offset: of its first byte.
        data: its values; None for a last line that was not finished.
        ended: whether a line feed ends it.
    """

    number: int
    offset: int
    data: dict[str, Any] | None
    ended: bool

    @property
    def is_settings(self) -> bool:
        """Whether it holds what the records have in common, and no record."""
        return self.data is not None and "fingerprint" in self.data and "id" not in self.data


def read_records(path: str | Path) -> RecordFile:
    r"""Read a file of records.

    Args:
        path: JSON Lines, or a Parquet file (ending in ``.parquet``) that was made of them.

    Raises:
        ConfigurationError: the file cannot be read, a line is no record (it is named), or records of several settings
            are mixed.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "records.jsonl")
        ...     lines = (Recorded(id="1", error="first try"), Recorded(id="2"), Recorded(id="1"))
        ...     _ = path.write_text("".join(line.to_json() + "\n" for line in lines))
        ...     found = read_records(path)
        >>> [row.id for row in found.rows], found.rows[0].error, found.replaced
        (['1', '2'], None, 1)
    """
    path = Path(path)
    try:
        return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_lines(path)
    except OSError as error:
        raise ConfigurationError(
            f"records {str(path)!r} cannot be read: {error.strerror or error}", code="records"
        ) from error


def lines_of(file: BinaryIO, path: Path) -> Iterator[Line]:
    """Go through the lines of an open file of records; blank ones are left out.

    Args:
        file: at its beginning.
        path: for errors.

    Raises:
        ConfigurationError: a line other than an unfinished last one holds no JSON object.
    """
    offset = 0
    for number, raw in enumerate(file, start=1):
        text = raw.removeprefix(_BOM) if number == 1 else raw
        if text.strip():
            ended = raw.endswith(b"\n")
            yield Line(number=number, offset=offset, data=_object(text, ended, path, number), ended=ended)
        offset += len(raw)


def _object(text: bytes, ended: bool, path: Path, number: int) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not ended:
            return None
        raise ConfigurationError(
            f"records {str(path)!r} hold no JSON at line {number}: {error}; restore the file, or take that line out",
            code="records",
        ) from error
    if isinstance(data, dict):
        return data
    if not ended:
        return None  # what is left of a line can be JSON by chance
    raise ConfigurationError(
        f"records {str(path)!r} hold a {type(data).__name__} at line {number}; give one JSON object a line",
        code="records",
    )


def _read_lines(path: Path) -> RecordFile:
    gathered = _Gathered(path)
    unfinished = False
    with path.open("rb") as file:
        for line in lines_of(file, path):
            if line.data is None:
                unfinished = True
            elif line.is_settings:
                gathered.describe(line.data)
            else:
                gathered.add(line.data, f"line {line.number}")
    return gathered.file(unfinished=unfinished)


def _read_parquet(path: Path) -> RecordFile:
    require_pyarrow("reading Parquet files")
    import pyarrow
    from pyarrow import parquet

    gathered = _Gathered(path)
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            if PARQUET_COLUMN not in schema.names:
                raise ConfigurationError(
                    f"records {str(path)!r} lack the column {PARQUET_COLUMN!r}; give a file that 'automix record' "
                    "wrote, or read it as a table",
                    code="records",
                )
            if settings := (schema.metadata or {}).get(PARQUET_SETTINGS):
                gathered.describe(json.loads(settings))
            cells = (
                cell for batch in file.iter_batches(columns=[PARQUET_COLUMN]) for cell in batch.column(0).to_pylist()
            )
            for number, text in enumerate(cells, start=1):
                gathered.add(_cell(text), f"row {number}")
    except pyarrow.ArrowInvalid as error:
        raise ConfigurationError(f"records {str(path)!r} cannot be read as Parquet: {error}", code="records") from error
    return gathered.file(unfinished=False)


def _cell(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


class _Gathered:
    """The last record of each id so far, and what all have in common."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Recorded] = {}
        self._count = 0
        self._settings: set[str] = set()
        self._described: Mapping[str, Any] = {}

    def describe(self, data: Mapping[str, Any]) -> None:
        settings = data.get("settings")
        self._described = settings if isinstance(settings, dict) else {}

    def add(self, data: Any, place: str) -> None:
        try:
            row = Recorded.from_data(data)
        except ValueError as error:
            raise ConfigurationError(
                f"records {str(self._path)!r} hold no record at {place}: {error}", code="records"
            ) from error
        self._count += 1
        self._rows[row.id] = row
        self._settings.add(row.settings)
        if len(self._settings) > 1:
            raise ConfigurationError(
                f"records {str(self._path)!r} mix settings: {place} was recorded with other models, prompts, "
                "verifier, retrieval or scorer than what stands before; keep one file for each",
                code="other-configuration",
            )

    def file(self, *, unfinished: bool) -> RecordFile:
        return RecordFile(
            rows=tuple(self._rows.values()),
            settings=next(iter(self._settings), None) or None,
            described=self._described,
            replaced=self._count - len(self._rows),
            unfinished=unfinished,
        )
