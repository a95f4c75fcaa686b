"""Columns from a table in a file: CSV, JSON Lines or Parquet, one row a question.

Only the columns asked for are kept in memory. Cells hold numbers, or true and false for 1 and 0; those of a column of
labels hold text. An empty one is refused, never filled in. What the columns mean is decided elsewhere.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError

Columns = dict[str, NDArray[np.float64]]
Cells = dict[str, list[Any]]
CellReader = Callable[[object, str, Path, str], Any]
"""Makes a value of a cell, of the column, the table, and the place in it, which are for errors."""

_WORDS: Final = {"true": 1.0, "false": 0.0}


def read_columns(path: Path, names: Sequence[str]) -> Columns:
    """Return columns of a table by name, each of shape (n,), n >= 1.

    Args:
        path: a file that ends in ``.csv``, ``.jsonl``, ``.ndjson`` or ``.parquet``; text is UTF-8.
        names: of the columns; other columns may hold anything.

    Raises:
        ConfigurationError: the file cannot be read as a table, has no rows, lacks a column, or a cell holds no number.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    return {name: np.array(cells, dtype=np.float64) for name, cells in _read(path, names, _number).items()}


def read_labels(path: Path, name: str) -> list[str]:
    """Return a column of labels, such as ids or the texts of questions, one a row; numbers become text.

    Args:
        path: as for `read_columns`.
        name: of the column.

    Raises:
        ConfigurationError: as for `read_columns`, or a cell is empty or holds neither text nor a number.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    return _read(path, [name], _label)[name]


def _read(path: Path, names: Sequence[str], cell: CellReader) -> Cells:
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigurationError(
            f"table {str(path)!r} has an unknown ending; use one of {', '.join(_READERS)}", code="table"
        )
    try:
        columns = read(path, list(dict.fromkeys(names)), cell)
    except OSError as error:
        raise ConfigurationError(
            f"table {str(path)!r} cannot be read: {error.strerror or error}", code="table"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"table {str(path)!r} is not UTF-8 text: {error}; save it as UTF-8", code="table"
        ) from error
    if not next(iter(columns.values())):
        raise ConfigurationError(f"table {str(path)!r} has no rows; give one row a question", code="table")
    return columns


def _read_csv(path: Path, names: Sequence[str], cell: CellReader) -> Cells:
    cells: Cells = {name: [] for name in names}
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            where = _positions(path, header, names)
            for row in reader:
                if not row:
                    continue
                place = f"line {reader.line_num}"
                if len(row) != len(header):
                    raise ConfigurationError(
                        f"table {str(path)!r} has {len(row)} cells at {place}, but {len(header)} columns; "
                        "quote cells that hold commas",
                        code="table",
                    )
                for name in names:
                    cells[name].append(cell(row[where[name]], name, path, place))
        except csv.Error as error:
            raise ConfigurationError(
                f"table {str(path)!r} is no CSV at line {reader.line_num}: {error}", code="table"
            ) from error
    return cells


def _positions(path: Path, header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    _require(path, header, names)
    twice = [name for name in names if header.count(name) > 1]
    if twice:
        raise ConfigurationError(
            f"table {str(path)!r} has the column {twice[0]!r} more than once; rename one of them", code="table"
        )
    return {name: header.index(name) for name in names}


def _read_jsonl(path: Path, names: Sequence[str], cell: CellReader) -> Cells:
    cells: Cells = {name: [] for name in names}
    with _opened(path) as file:
        for line, row in _objects(path, file):
            _require(path, list(row), names, f" at line {line}")
            for name in names:
                cells[name].append(cell(row[name], name, path, f"line {line}"))
    return cells


def _objects(path: Path, file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(
                f"table {str(path)!r} holds no JSON at line {line}: {error}", code="table"
            ) from error
        if not isinstance(row, dict):
            raise ConfigurationError(
                f"table {str(path)!r} holds a {type(row).__name__} at line {line}; give one JSON object a line",
                code="table",
            )
        yield line, row


def _read_parquet(path: Path, names: Sequence[str], cell: CellReader) -> Cells:
    from automix_graph.evaluation.parquet import column_names, read_cells

    _require(path, column_names(path), names)
    return {
        name: [cell(value, name, path, f"row {row}") for row, value in enumerate(values)]
        for name, values in read_cells(path, names).items()
    }


_READERS: Final[dict[str, Callable[[Path, Sequence[str], CellReader], Cells]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    # Spreadsheets write a mark at the start of UTF-8 files; newlines inside quoted cells are left to the CSV reader.
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield file


def _require(path: Path, found: Sequence[str], names: Sequence[str], place: str = "") -> None:
    missing = [name for name in names if name not in found]
    if missing:
        has = ", ".join(repr(name) for name in found) or "none"
        raise ConfigurationError(
            f"table {str(path)!r} has no column {missing[0]!r}{place}; its columns are: {has}", code="table"
        )


def _number(cell: object, name: str, path: Path, place: str) -> float:
    """Return the number in a cell; text is read as a number only where it comes from CSV, which has nothing else."""
    value = math.nan
    try:
        if isinstance(cell, int | float | Decimal):
            value = float(cell)
        elif isinstance(cell, str) and path.suffix.lower() == ".csv":
            value = _WORDS.get(cell.strip().lower(), math.nan) if cell.strip().isalpha() else float(cell)
    except (ValueError, OverflowError):
        pass
    if not math.isfinite(value):
        raise ConfigurationError(
            f"column {name!r} of table {str(path)!r} holds {cell!r} at {place}; give a number in each row, and leave "
            "out questions that have none",
            code="table",
        )
    return value


def _label(cell: object, name: str, path: Path, place: str) -> str:
    if isinstance(cell, str | int | float | Decimal) and not isinstance(cell, bool):
        text = str(cell).strip()
        if text and text != "nan":
            return text
    raise ConfigurationError(
        f"column {name!r} of table {str(path)!r} holds {cell!r} at {place}; give a text or a number in each row",
        code="table",
    )
