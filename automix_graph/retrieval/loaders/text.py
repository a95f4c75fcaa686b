"""Plain text and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from automix_graph.retrieval.loaders.encoding import UNDECODABLE, detect_encoding
from automix_graph.retrieval.loaders.section import Problem, Section

_MARKDOWN_LINE: Final = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})|#{1,6}[ \t]+(?P<heading>.*?)[ \t]*#*[ \t]*$)", re.MULTILINE
)


def load_text(path: Path) -> Iterator[Section | Problem]:
    """Read a text file as one section."""
    encoding = detect_encoding(path)
    if encoding is None:
        yield Problem(path=path.as_posix(), reason=UNDECODABLE)
    else:
        yield Section(text=path.read_text(encoding=encoding))


def load_markdown(path: Path) -> Iterator[Section | Problem]:
    """Read a Markdown file as one section that knows its headings."""
    for item in load_text(path):
        yield Section(text=item.text, headings=_headings(item.text)) if isinstance(item, Section) else item


def _headings(text: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    fence: str | None = None
    for match in _MARKDOWN_LINE.finditer(text):
        if match["fence"]:
            if fence is None:
                fence = match["fence"]
            elif match["fence"].startswith(fence):
                fence = None
        elif fence is None and match["heading"]:
            found.append((match.start(), match["heading"]))
    return tuple(found)
