"""What a loader gives: pieces of text with their positions, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Section:
    """A piece of text that belongs together: a whole file, a page, a row.

    Attributes:
        text: not empty.
        metadata: JSON values; ``page``, ``row`` or ``line`` (from 1) tell where the text is.
        position: tells the section apart from the others of its file, such as ``"page=3"``; empty for a whole file.
        headings: offset and text of each heading, in order.
        row: whether somebody has cut it already: a row of JSONL or CSV.
    """

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    position: str = ""
    headings: tuple[tuple[int, str], ...] = ()
    row: bool = False


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that could not be read.

    Attributes:
        path: of the file or folder.
        reason: why, for people.
    """

    path: str
    reason: str


Loader = Callable[[Path], Iterator[Section | Problem]]
"""Reads one file, in bounded memory where the format allows it."""
