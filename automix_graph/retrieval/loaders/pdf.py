"""PDF files, page by page. They must have a text layer: nothing is recognised from pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from automix_graph.errors import MissingExtraError
from automix_graph.retrieval.loaders.section import Problem, Section


def load_pdf(path: Path) -> Iterator[Section | Problem]:
    """Read one section a page."""
    try:
        from pypdf import PdfReader
    except ImportError as error:
        raise MissingExtraError(f"reading {path.as_posix()!r}", extra="documents") from error
    with PdfReader(path) as reader:
        # Many files are encrypted with an empty password, only to forbid printing.
        if reader.is_encrypted and not reader.decrypt(""):
            yield Problem(path=path.as_posix(), reason="is encrypted: save it without a password")
            return
        empty = True
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text().strip()
            if text:
                empty = False
                yield Section(text=text, metadata={"page": number}, position=f"page={number}")
    if empty:
        yield Problem(
            path=path.as_posix(), reason="has no text layer (scanned pages?): run text recognition on it first"
        )
