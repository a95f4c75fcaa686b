"""CSV files with a header row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from automix_graph.retrieval.loaders.encoding import UNDECODABLE, detect_encoding
from automix_graph.retrieval.loaders.jsonl import TEXT_FIELDS
from automix_graph.retrieval.loaders.section import Problem, Section


def load_csv(path: Path) -> Iterator[Section | Problem]:
    """Read one section a row.

    Where a column is called ``text``, ``content`` or ``page_content`` it is the text and the others are metadata;
    otherwise the text is ``column: value``, one a line.
    """
    encoding = detect_encoding(path)
    if encoding is None:
        yield Problem(path=path.as_posix(), reason=UNDECODABLE)
        return
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        line = reader.line_num + 1
        for values in reader:
            section = _section(header, values, line)
            if section is not None:
                yield section
            line = reader.line_num + 1


def _section(header: list[str], values: list[str], line: int) -> Section | None:
    # A row may be longer than the header; its last cells then have no name.
    names = header + [f"column {position}" for position in range(len(header) + 1, len(values) + 1)]
    cells = {name: value for name, value in zip(names, values, strict=False) if value.strip()}
    column = next((name for name in cells if name.lower() in TEXT_FIELDS), None)
    if column is None:
        text, metadata = "\n".join(f"{name}: {value}" for name, value in cells.items()), {}
    else:
        text, metadata = cells.pop(column), cells
    return Section(text=text, metadata=metadata | {"row": line}, position=f"row={line}", row=True) if text else None
