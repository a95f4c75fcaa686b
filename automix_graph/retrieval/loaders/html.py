"""HTML pages: what a reader sees, without scripts and styles."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from automix_graph.errors import MissingExtraError
from automix_graph.retrieval.loaders.section import Problem, Section

_UNSEEN: Final = ["script", "style", "noscript", "template", "head"]
_BLOCKS: Final = re.compile(
    "address|article|aside|blockquote|caption|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header"
    "|hr|li|main|nav|ol|p|pre|section|summary|table|tr|ul"
)


def load_html(path: Path) -> Iterator[Section | Problem]:
    """Read a page as one section, with its title as metadata."""
    try:
        from bs4 import BeautifulSoup
        from bs4.element import PreformattedString
    except ImportError as error:
        raise MissingExtraError(f"reading {path.as_posix()!r}", extra="documents") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4 warns where the bytes look like XML or like a file name
        # As bytes, because a page may state its encoding itself.
        soup = BeautifulSoup(path.read_bytes(), "html.parser")
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    for tag in soup.find_all(_UNSEEN):
        tag.decompose()
    for node in soup.find_all(string=True):
        # Comments and the like are strings too, which `get_text` knows to leave out as long as they stay what they are.
        if not isinstance(node, PreformattedString) and node.find_parent("pre") is None:
            node.replace_with(re.sub(r"\s+", " ", node))
    for tag in soup.find_all("br"):
        tag.replace_with("\n")
    for tag in soup.find_all(["td", "th"]):
        tag.append(" ")
    for tag in [tag for tag in soup.find_all(True) if _BLOCKS.fullmatch(tag.name)]:
        tag.insert_before("\n")
        tag.append("\n")
    lines = (" ".join(line.split()) for line in soup.get_text().splitlines())
    yield Section(text="\n".join(line for line in lines if line), metadata={"title": title} if title else {})
