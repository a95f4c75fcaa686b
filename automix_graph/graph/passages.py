"""From what a retriever returned to passages that can be read, stored and shown, or to the reason why they cannot.

Whether a passage has anything to do with the question is not seen here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import well_formed
from automix_graph.records import Passage

LONGEST_CONTEXT: Final = 8_000_000
"""Characters of all passages; no model reads two million tokens, and state, prompts and records each hold them."""

DEEPEST: Final = 64
"""Levels of lists and mappings in metadata, themselves the first; checkpointers and servers end near 250."""

CUT: Final = "…"
"""What stands in place of a list or mapping that is nested more deeply."""

_INT64: Final = 2**63
_INFINITE: Final = {math.inf: "Infinity", -math.inf: "-Infinity"}


class UnusableDocumentsError(ConfigurationError):
    """A retriever that returned something else than a list of documents that can be read."""


def passages_of(found: object) -> tuple[Passage, ...]:
    """Return what a retriever found as passages; one that it returned twice counts once.

    Args:
        found: what it returned.

    Raises:
        UnusableDocumentsError: it is no list of documents, or they cannot be read.

    Example:
        >>> twice = Document(id="1", page_content="It was in May.")
        >>> [passage.text for passage in passages_of([twice, twice])]
        ['It was in May.']
    """
    if not isinstance(found, list) or not all(isinstance(document, Document) for document in found):
        raise UnusableDocumentsError(
            f"the retriever returned {_told(found)}; it must return a list of langchain_core Documents"
        )
    texts = [document.page_content for document in found]
    if not all(isinstance(text, str) for text in texts):
        raise UnusableDocumentsError("the retriever returned a document whose page_content is no text; give a str")
    if (length := sum(map(len, texts))) > LONGEST_CONTEXT:
        raise UnusableDocumentsError(
            f"the retriever returned passages of {length} characters, and no model reads more than {LONGEST_CONTEXT}; "
            "cut documents into passages before they are indexed, as 'automix index' does"
        )
    passages: list[Passage] = []
    known: dict[tuple[str | None, str], Passage] = {}
    for passage in map(_passage, found):
        first = known.setdefault((passage.id, passage.text), passage)
        if first is passage or first != passage:
            passages.append(passage)
    return tuple(passages)


def _told(found: object) -> str:
    """Return what something is, without a word of its text."""
    kind = type(found).__name__
    if not isinstance(found, list):
        return kind
    return f"{kind} with {next(type(item).__name__ for item in found if not isinstance(item, Document))} in it"


def _passage(document: Document) -> Passage:
    identity = None if document.id is None else well_formed(str(document.id))
    return Passage(text=well_formed(document.page_content), id=identity, metadata=_plain_metadata(document.metadata))


def _plain_metadata(metadata: Mapping[Any, Any]) -> dict[str, Any]:
    try:
        return _plain_mapping(metadata, ())
    except (TypeError, ValueError, RecursionError) as error:
        raise UnusableDocumentsError(
            f"the retriever returned a document whose metadata cannot be stored ({type(error).__name__}); give a dict "
            "of JSON values that does not contain itself"
        ) from error


def _plain_mapping(value: Mapping[Any, Any], above: tuple[Any, ...]) -> dict[str, Any]:
    inside = (*above, value)
    return {
        well_formed(str.__str__(key) if isinstance(key, str) else str(key)): _plain(item, inside)
        for key, item in value.items()
    }


def _plain(value: Any, above: tuple[Any, ...]) -> Any:
    """Return a value as every checkpointer can store it, every server send it, and JSON read it back.

    Args:
        value: of metadata.
        above: the lists and mappings that it is in, outermost first.
    """
    match value:
        case None | bool():
            return value
        case str():
            return well_formed(str.__str__(value))  # of a subclass, the text without the class; so for numbers
        case int() | float():
            return _plain_number(value)
        case Mapping() | list() | tuple():
            return _plain_container(value, above)
        case np.generic() if not isinstance(item := value.item(), np.generic):
            return _plain(item, above)
        case _:
            return well_formed(str(value))


def _plain_number(value: float) -> float | str | None:
    if isinstance(value, int):
        return int.__int__(value) if -_INT64 <= value < _INT64 else int.__repr__(value)
    # NaN is what pandas has for a missing value.
    return float.__float__(value) if math.isfinite(value) else _INFINITE.get(value)


def _plain_container(value: Any, above: tuple[Any, ...]) -> Any:
    if any(value is one for one in above):
        raise RecursionError
    if len(above) >= DEEPEST:
        return CUT
    if isinstance(value, Mapping):
        return _plain_mapping(value, above)
    inside = (*above, value)
    return [_plain(item, inside) for item in value]
