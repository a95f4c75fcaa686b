"""A file of results, one a line, so that a long measurement can be stopped and resumed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Read JSONL; a line that a stopped run cut off is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            rows += [json.loads(line)] if line else []
        except json.JSONDecodeError:
            print(f"{path.name}: a line that is no JSON is left out", file=sys.stderr)
    return rows


class Journal:
    """Results by their keys, on disk as soon as they are known.

    Args:
        path: of the file; None keeps the results in memory alone.
        settings: that all results have in common; a file of other settings is refused.
    """

    def __init__(self, path: Path | None, settings: Row) -> None:
        self._path = path
        self.rows: dict[str, Row] = {}
        if path is None:
            return
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
        first, *rows = read_rows(path) or [{}]
        if first != settings:
            raise SystemExit(f"{path} was written with other settings: {first!r}; name another file, or delete it")
        self.rows = {row["key"]: row for row in rows}

    def add(self, row: Row) -> None:
        """Keep a row, which has its ``key``."""
        self.rows[row["key"]] = row
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                # The line break comes first, so that a row that a stopped run has cut off spoils no other.
                file.write("\n" + json.dumps(row, ensure_ascii=False))
