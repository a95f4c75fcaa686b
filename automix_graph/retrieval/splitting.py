"""Cutting long texts into passages, for English and Chinese."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from langchain_text_splitters import RecursiveCharacterTextSplitter

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.loaders.section import Section

DEFAULT_CHUNK_SIZE: Final = 1_200
"""Characters in a passage at most.

In English it is about 270 tokens, which is where small embedding models stop reading (256 for MiniLM).
"""

ROW_FACTOR: Final = 2
"""A row is a passage already, so it is cut only where it is longer than this many times the chunk size.

91 % of the 2,067 paragraphs of SQuAD v1.1 dev have at most 1,200 characters, 99.5 % at most 2,400.
"""

DEFAULT_CHUNK_OVERLAP: Final = 150
"""Characters that a passage repeats from the one before: about a sentence."""

_SEPARATORS: Final = [
    r"\n\n",
    r"\n",
    r"(?<=[。！？])",
    r"(?<=[.!?]) ",
    r"(?<=[；;，,、])",
    r" ",
    r"",
]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A part of a section.

    Attributes:
        text: of the part.
        start: its offset in the section.
        heading: the last heading at or before it; None where there is none.
    """

    text: str
    start: int
    heading: str | None


class Splitter:
    """Cuts sections at paragraphs, lines, sentences, clauses or words, whichever comes first.

    Args:
        chunk_size: characters in a passage at most; a row stays whole up to twice as many.
        chunk_overlap: characters that a passage may repeat from the one before.

    Raises:
        ConfigurationError: a size below 1, or an overlap that is not less than the size.
    """

    def __init__(self, *, chunk_size: int = DEFAULT_CHUNK_SIZE, chunk_overlap: int = DEFAULT_CHUNK_OVERLAP) -> None:
        if chunk_size < 1:
            raise ConfigurationError(f"chunk_size is {chunk_size!r}; it must be at least 1")
        if not 0 <= chunk_overlap < chunk_size:
            raise ConfigurationError(
                f"chunk_overlap is {chunk_overlap!r}; it must be at least 0 and less than chunk_size ({chunk_size!r})"
            )
        self.chunk_size = chunk_size
        self.chunk_overlap = chunk_overlap
        self._splitter = RecursiveCharacterTextSplitter(
            separators=_SEPARATORS,
            is_separator_regex=True,
            keep_separator="end",
            chunk_size=chunk_size,
            chunk_overlap=chunk_overlap,
        )

    def split(self, section: Section) -> Iterator[Chunk]:
        """Cut a section; one that is short enough stays exactly as it is."""
        if len(section.text) <= self.chunk_size * (ROW_FACTOR if section.row else 1):
            yield Chunk(text=section.text, start=0, heading=_heading(section, 0))
            return
        start, end, last = 0, 0, ""
        for text in self._splitter.split_text(section.text):
            # Not by the splitter's `add_start_index`: it finds the previous chunk again where a text repeats itself.
            after = start + (text == last)
            place = section.text.find(text, max(after, end - self.chunk_overlap))
            if place < 0:
                place = section.text.find(text, after)  # space was stripped, and more overlaps than it seems
            if place < 0:
                continue  # nothing but the overlap, a second time
            start, end, last = place, place + len(text), text
            yield Chunk(text=text, start=start, heading=_heading(section, start))


def _heading(section: Section, start: int) -> str | None:
    position = bisect_right(section.headings, start, key=lambda heading: heading[0])
    return section.headings[position - 1][1] if position else None
