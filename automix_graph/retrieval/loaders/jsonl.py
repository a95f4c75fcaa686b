"""JSON rows: one object a line, or one list of objects in a ``.json`` file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from automix_graph.retrieval.loaders.encoding import UNDECODABLE, detect_encoding
from automix_graph.retrieval.loaders.section import Problem, Section

TEXT_FIELDS: Final = ("text", "content", "page_content")
"""Fields that may hold the text of a row; the first one that does is taken."""

_INT64: Final = 2**63


def load_jsonl(path: Path) -> Iterator[Section | Problem]:
    """Read one section a line; bad lines are reported and the others read."""
    encoding = detect_encoding(path)
    if encoding is None:
        yield Problem(path=path.as_posix(), reason=UNDECODABLE)
        return
    with path.open(encoding=encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _line(path, number, line)


def load_json(path: Path) -> Iterator[Section | Problem]:
    """Read a list of objects, or one object a line."""
    encoding = detect_encoding(path)
    if encoding is None or not _is_list(path, encoding):
        yield from load_jsonl(path)
        return
    try:
        rows = json.loads(path.read_text(encoding=encoding), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        yield Problem(path=path.as_posix(), reason=f"is not JSON: {error}")
        return
    for number, row in enumerate(rows, start=1):
        yield _row(path, "row", number, row)


def _is_list(path: Path, encoding: str) -> bool:
    with path.open(encoding=encoding) as lines:
        return next((line.lstrip().startswith("[") for line in lines if line.strip()), False)


def _line(path: Path, number: int, line: str) -> Section | Problem:
    try:
        row = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return Problem(path=path.as_posix(), reason=f"line {number} is not JSON: {error}")
    return _row(path, "line", number, row)


def _row(path: Path, unit: str, number: int, row: Any) -> Section | Problem:
    if not isinstance(row, dict):
        return Problem(path=path.as_posix(), reason=f"{unit} {number} is no JSON object")
    name = next((name for name in TEXT_FIELDS if isinstance(row.get(name), str)), None)
    if name is None or not row[name].strip():
        return Problem(
            path=path.as_posix(), reason=f"{unit} {number} has no text in a field {', '.join(map(repr, TEXT_FIELDS))}"
        )
    kept = {key: value for key, value in row.items() if key != name and isinstance(value, str | int | float | bool)}
    fields = {key: _storable(value) for key, value in kept.items()}
    return Section(text=row[name], metadata=fields | {unit: number}, position=f"{unit}={number}", row=True)


def _storable(value: str | float) -> str | float:
    """Return a value of a field, a whole number beyond 64 bits as text: filters compare it exactly only so."""
    return str(value) if isinstance(value, int) and not -_INT64 <= value < _INT64 else value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
