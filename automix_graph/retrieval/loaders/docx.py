"""Word documents (DOCX): paragraphs and tables in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from automix_graph.errors import MissingExtraError
from automix_graph.retrieval.loaders.section import Problem, Section


def load_docx(path: Path) -> Iterator[Section | Problem]:
    """Read a document as one section that knows its headings."""
    try:
        import docx
        from docx.table import Table
    except ImportError as error:
        raise MissingExtraError(f"reading {path.as_posix()!r}", extra="documents") from error
    blocks: list[str] = []
    headings: list[tuple[int, str]] = []
    offset = 0
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            text = "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
        else:
            text = block.text.strip()
            style = block.style.name if block.style else None
            if text and (style or "").startswith(("Heading", "Title")):
                headings.append((offset, text))
        if text:
            blocks.append(text)
            offset += len(text) + 2
    yield Section(text="\n\n".join(blocks), headings=tuple(headings))
