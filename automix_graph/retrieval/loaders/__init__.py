"""Reading files of many formats as text, each format in a file of its own.

Libraries for PDF, DOCX and HTML are imported when a file needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Final

from automix_graph.errors import AutomixError
from automix_graph.retrieval.loaders.docx import load_docx
from automix_graph.retrieval.loaders.html import load_html
from automix_graph.retrieval.loaders.jsonl import load_json, load_jsonl
from automix_graph.retrieval.loaders.pdf import load_pdf
from automix_graph.retrieval.loaders.section import Loader, Problem, Section
from automix_graph.retrieval.loaders.table import load_csv
from automix_graph.retrieval.loaders.text import load_markdown, load_text

__all__ = ["LOADERS", "Loader", "Problem", "Section", "load_file"]

LOADERS: Final[dict[str, Loader]] = {
    ".txt": load_text,
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".html": load_html,
    ".htm": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
    ".csv": load_csv,
    ".jsonl": load_jsonl,
    ".json": load_json,
}
"""Loader by suffix, in lower case."""


def load_file(path: str | PathLike[str]) -> Iterator[Section | Problem]:
    """Read a file: its sections, and a problem for each part that could not be read.

    A file that cannot be read at all gives one problem and nothing else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "otter.txt"
        ...     _ = path.write_text("Otters hold hands.", encoding="utf-8")
        ...     [section.text for section in load_file(path)]
        ['Otters hold hands.']

    Raises:
        MissingExtraError: the format needs a library that is not installed.
    """
    path = Path(path)
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        yield Problem(
            path=path.as_posix(), reason=f"has the unknown suffix {path.suffix!r}; known are {', '.join(LOADERS)}"
        )
        return
    empty = True
    try:
        for item in loader(path):
            if isinstance(item, Section) and not item.text.strip():
                continue
            empty = False
            yield item
    except AutomixError:
        raise
    except OSError as error:
        yield Problem(path=path.as_posix(), reason=error.strerror or str(error))
    except Exception as error:  # a damaged file makes a parser raise anything; the other files matter
        yield Problem(path=path.as_posix(), reason=f"cannot be parsed ({type(error).__name__}: {error})")
    else:
        if empty:
            yield Problem(path=path.as_posix(), reason="has no text")
