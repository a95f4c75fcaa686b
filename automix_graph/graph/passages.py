"""From what a retriever returned to passages that can be read, stored and shown, or to the reason why they cannot.

Whether a passage has anything to do with the question is not seen here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from langchain_core.documents import Document

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import well_formed
from automix_graph.records import Passage

LONGEST_CONTEXT: Final = 8_000_000
"""Characters of all passages; no model reads two million tokens, and state, prompts and records each hold them."""


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
    # Through JSON, so that every checkpointer can store it: NumPy scalars become numbers, NaN (what pandas has for a
    # missing value) null, and what JSON cannot hold a text.
    metadata = document.metadata
    if not all(type(name) is str and type(value) in _PLAIN for name, value in metadata.items()):
        metadata = _through_json(metadata)
    identity = None if document.id is None else str(document.id)
    return Passage(text=well_formed(document.page_content), id=identity, metadata=dict(metadata))


_PLAIN: Final = frozenset({str, int, bool, type(None)})
"""What a round trip through JSON leaves as it is."""


def _through_json(metadata: Mapping[Any, Any]) -> dict[str, Any]:
    try:
        plain = json.dumps(_with_text_keys(metadata), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnusableDocumentsError(
            f"the retriever returned a document whose metadata cannot be stored ({type(error).__name__}); give a dict "
            "of JSON values that does not contain itself"
        ) from error
    stored: dict[str, Any] = json.loads(plain, parse_constant=lambda name: None if name == "NaN" else name)
    return stored


def _with_text_keys(value: Any) -> Any:
    """Return metadata whose keys JSON can hold; most have them already."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
