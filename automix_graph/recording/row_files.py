"""Data sets in files: JSON Lines, CSV or Parquet, one row a question. Nothing here asks a model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from automix_graph.errors import ConfigurationError, MissingExtraError
from automix_graph.recording.rows import COLUMNS, BadRow, Row, Rows, row_of

_BOM: Final = b"\xef\xbb\xbf"


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
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigurationError(f"data set {str(path)!r} has an unknown ending; use one of {', '.join(_READERS)}")
    rows: dict[str, Row] = {}
    places: dict[str, str] = {}
    bad: list[BadRow] = []
    with _readable(path):
        for place, values in read(path):
            try:
                row = row_of(values)
            except ValueError as error:
                bad.append(BadRow(place=place, reason=str(error)))
                continue
            if row.id in rows:
                raise ConfigurationError(
                    f"data set {str(path)!r} has the id {row.id!r} at {places[row.id]} and at {place}; give each row "
                    "an id of its own"
                )
            rows[row.id], places[row.id] = row, place
    if not rows and not bad:
        raise ConfigurationError(f"data set {str(path)!r} has no rows; give one row a question")
    return Rows(rows=tuple(rows.values()), bad=tuple(bad))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"data set {str(path)!r} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"data set {str(path)!r} is not UTF-8 text: {error}; save it as UTF-8") from error


def _read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            text = raw.removeprefix(_BOM) if number == 1 else raw
            if text.strip():
                yield f"line {number}", _object(text)


def _object(text: bytes) -> dict[str, Any] | str:
    try:
        values = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return values if isinstance(values, dict) else f"it is a JSON {type(values).__name__}; give an object"


def _read_csv(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line = 1
        try:
            header = next(reader, [])
            _require_columns(path, header)
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield f"line {line}", _cells(header, cells)
                line = reader.line_num + 1
        except csv.Error as error:
            raise ConfigurationError(
                f"data set {str(path)!r} is no CSV at line {line}: {error}; mend the row, or give JSON Lines"
            ) from error


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
    except ValueError:
        return cell


def _read_parquet(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("reading Parquet files", extra="evaluation") from error
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require_columns(path, names)
            number = 0
            for batch in file.iter_batches(columns=[name for name in names if name in COLUMNS]):
                for values in batch.to_pylist():
                    number += 1
                    yield f"row {number}", values
    except pyarrow.ArrowInvalid as error:
        raise ConfigurationError(f"data set {str(path)!r} cannot be read as Parquet: {error}") from error


def _require_columns(path: Path, names: list[str]) -> None:
    missing = [name for name in ("id", "question") if name not in names]
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if missing or twice:
        what = f"lacks the column {missing[0]!r}" if missing else f"has the column {twice[0]!r} more than once"
        raise ConfigurationError(f"data set {str(path)!r} {what}; its columns are {', '.join(map(repr, names))}")


_READERS: Final = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
