"""Data sets in files: JSON Lines, CSV or Parquet, one row a question. Nothing here asks a model."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.arrow import require_pyarrow
from automix_graph.recording.rows import COLUMNS, BadRow, Row, Rows, row_of

_BOM: Final = b"\xef\xbb\xbf"

LONGEST_LINE: Final = 16 * 2**20
"""Bytes of a line of JSON Lines with its line feed; a longer one is a bad row, and never in memory as a whole."""
LONGEST_CELL: Final = LONGEST_LINE
"""Characters of a cell of CSV. A longer one is a quote that nobody has closed, so that nothing after it can be read."""
_CSV_LIMIT: Final = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What stands at one place of a data set.

    Attributes:
        number: of the line on which it begins, or of the row in a Parquet file, from 1.
        unit: what `number` counts: ``"line"`` or ``"row"``.
        values: by column; a text that says what is wrong where there are none.
        raw: the line, cut off where it is too long; None where the file does not consist of such lines.
    """

    number: int
    unit: str
    values: dict[str, Any] | str
    raw: bytes | None = None

    @property
    def place(self) -> str:
        """Where it stands, such as ``"line 3"``."""
        return f"{self.unit} {self.number}"


def read_rows(path: str | Path) -> Rows:
    r"""Read a data set.

    Args:
        path: a file that ends in ``.jsonl``, ``.ndjson``, ``.csv`` or ``.parquet``; text is UTF-8. In CSV, a cell of
            ``answers`` or ``context`` is one text, or a JSON list of texts.

    Raises:
        ConfigurationError: the file cannot be read as a whole, two rows have the same id, or it has no rows.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "data.jsonl")
        ...     _ = path.write_text('{"id": 7, "question": "When?", "answers": "May"}\n{"id": 8}\n')
        ...     found = read_rows(path)
        >>> found.rows[0].answers, found.bad[0].place
        (('May',), 'line 2')
    """
    path = Path(path)
    rows: dict[str, Row] = {}
    places: dict[str, str] = {}
    bad: list[BadRow] = []
    for found in read_values(path):
        try:
            row = row_of(found.values)
        except ValueError as error:
            bad.append(BadRow(place=found.place, reason=str(error)))
            continue
        if row.id in rows:
            raise ConfigurationError(
                f"data set {str(path)!r} has the id {row.id!r} at {places[row.id]} and at {found.place}; give each row "
                "an id of its own",
                code="data-set",
            )
        rows[row.id], places[row.id] = row, found.place
    if not rows and not bad:
        raise ConfigurationError(f"data set {str(path)!r} has no rows; give one row a question", code="data-set")
    return Rows(rows=tuple(rows.values()), bad=tuple(bad))


def read_values(path: Path) -> Iterator[Found]:
    """Go through what stands in a data set, in constant memory; blank lines are left out.

    Args:
        path: as for `read_rows`.

    Raises:
        ConfigurationError: the file cannot be read as a whole.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigurationError(
            f"data set {str(path)!r} has an unknown ending; use one of {', '.join(_READERS)}", code="data-set"
        )
    with _readable(path):
        yield from read(path)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"data set {str(path)!r} cannot be read: {error.strerror or error}", code="data-set"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"data set {str(path)!r} is not UTF-8 text: {error}; save it as UTF-8", code="data-set"
        ) from error


def _read_jsonl(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for number, raw in enumerate(_lines(file), start=1):
            text = raw.removeprefix(_BOM) if number == 1 else raw
            if text.strip():
                yield Found(number=number, unit="line", values=_object(text), raw=text)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Go through the lines of a file; of one that is too long, one byte more than is allowed is left."""
    while line := file.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        yield line


def _object(text: bytes) -> dict[str, Any] | str:
    if len(text) > LONGEST_LINE:
        return f"it is longer than {LONGEST_LINE} bytes; shorten it"
    try:
        values = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return values if isinstance(values, dict) else f"it is a JSON {type(values).__name__}; give an object"


def _read_csv(path: Path) -> Iterator[Found]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            header = _next_cells(reader) or []
            _require_columns(path, header)
            line = reader.line_num + 1
            while (cells := _next_cells(reader)) is not None:
                if cells:
                    yield Found(number=line, unit="line", values=_cells(header, cells))
                line = reader.line_num + 1
        except csv.Error as error:
            raise ConfigurationError(
                f"data set {str(path)!r} is no CSV at line {line}: {error}; mend the row, or give JSON Lines",
                code="data-set",
            ) from error


def _next_cells(reader: Iterator[list[str]]) -> list[str] | None:
    """Return the next row; None at the end. The limit on cells is one of the process, and its own after each row."""
    with _CSV_LIMIT:
        usual = csv.field_size_limit(LONGEST_CELL)
        try:
            return next(reader, None)
        finally:
            csv.field_size_limit(usual)


def _cells(header: list[str], cells: list[str]) -> dict[str, Any] | str:
    if len(cells) != len(header):
        return f"it has {len(cells)} cells, but there are {len(header)} columns; quote cells that hold commas"
    values: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if name in COLUMNS}
    for name in ("answers", "context"):
        values[name] = _listed(values.get(name, ""))
    return values


def _listed(cell: str) -> Any:
    """Return the list that a cell holds as JSON, else the cell."""
    if not cell.lstrip().startswith("["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _read_parquet(path: Path) -> Iterator[Found]:
    require_pyarrow("reading Parquet files")
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require_columns(path, names)
            number = 0
            for batch in file.iter_batches(columns=[name for name in names if name in COLUMNS]):
                for values in batch.to_pylist():
                    number += 1
                    yield Found(number=number, unit="row", values=values)
    except pyarrow.ArrowInvalid as error:
        raise ConfigurationError(
            f"data set {str(path)!r} cannot be read as Parquet: {error}", code="data-set"
        ) from error


def _require_columns(path: Path, names: list[str]) -> None:
    missing = [name for name in ("id", "question") if name not in names]
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if missing or twice:
        what = f"lacks the column {missing[0]!r}" if missing else f"has the column {twice[0]!r} more than once"
        raise ConfigurationError(
            f"data set {str(path)!r} {what}; its columns are {', '.join(map(repr, names))}", code="data-set"
        )


_READERS: Final = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
