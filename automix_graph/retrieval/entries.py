"""What can be asked of a store in one transaction: passages to put, passages to remove, sources to remember.

Checks texts, ids and metadata before anything is stored; knows no file and no vector.
"""

from __future__ import annotations

import json
import math
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.documents import Document

from automix_graph.errors import StoreError
from automix_graph.retrieval.metrics import Matrix

DEEPEST: Final = 64
"""Levels of lists and mappings in metadata, themselves the first.

JSON functions of SQLite end at 1,000, where one passage would make every filter fail; checkpointers and servers at 250.
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A passage that may be stored.

    Attributes:
        id: unique in the store.
        text: what is embedded and found.
        metadata: as JSON text.
        source: the file that ingestion took it from; None for passages of other origin.
    """

    id: str
    text: str
    metadata: str
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """What ingestion remembers of one source.

    Attributes:
        source: its path as given.
        digest: of its content and of the settings it was split with.
        passages: how many of its passages are stored.
        complete: False where a run was interrupted inside it.
    """

    source: str
    digest: str
    passages: int
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """One transaction; removals come before additions.

    Attributes:
        everything: remove all passages.
        remove: ids of passages to remove; unknown ones are ignored.
        remove_sources: sources to remove with their passages.
        put: passages to store, each id once; one with a known id replaces it.
        states: what to remember of sources.
    """

    everything: bool = False
    remove: Sequence[str] = ()
    remove_sources: Sequence[str] = ()
    put: Sequence[Entry] = ()
    states: Sequence[SourceState] = ()


def entry_of(document: Document, *, id: str | None = None, source: str | None = None) -> Entry:
    """Return a document as an entry, under the given id, else its own, else a new random one.

    Raises:
        StoreError: the text, the id or the metadata cannot be stored.
    """
    chosen = id or document.id or str(uuid.uuid4())
    if not isinstance(chosen, str):
        raise StoreError(f"id {chosen!r} is a {type(chosen).__name__}; ids are strings", code="bad-passage")
    require_text(chosen, name="id")
    require_text(document.page_content, name=f"text of passage {chosen!r}")
    return Entry(
        id=chosen, text=document.page_content, metadata=metadata_json(document.metadata, id=chosen), source=source
    )


def checksum(id: str, text: str, metadata: str, vector: Matrix) -> int:
    """Return the CRC-32 of a passage together with its vector, shape (dimension,), as the index holds it.

    It tells a damaged passage, and a vector that belongs to another one, whenever one is read.
    """
    return zlib.crc32(vector, zlib.crc32(f"{id}\0{text}\0{metadata}".encode()))  # type: ignore[arg-type]


def metadata_json(metadata: Mapping[str, Any], *, id: str) -> str:
    """Return metadata as JSON text that reads back equal.

    Raises:
        StoreError: a value is of no JSON type (the message names its key), nested too deeply, or a number too long.
    """
    _require_json(metadata, path="metadata", id=id, depth=1)
    try:
        return json.dumps(metadata, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:  # Python writes and reads no whole number of more than 4,300 digits
        raise StoreError(f"the metadata of passage {id!r} cannot be stored: {error}", code="bad-passage") from error


def is_text(text: str) -> bool:
    """Return whether a string can be written as UTF-8, which one with a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_text(text: str, *, name: str) -> None:
    """Raise a StoreError where a string cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{name} has a lone surrogate {text[error.start]!r} at position {error.start}, which UTF-8 cannot express: "
            "decode the text properly, or remove it",
            code="bad-passage",
        ) from None


def _require_json(value: Any, *, path: str, id: str, depth: int) -> None:
    if depth > DEEPEST and isinstance(value, list | dict):
        raise StoreError(
            f"metadata of passage {id!r} are nested more than {DEEPEST} levels deep; write them flatter, or as text",
            code="bad-passage",
        )
    match value:
        case None | bool() | int():
            return
        case str():
            require_text(value, name=f"{path} of passage {id!r}")
        case float() if math.isfinite(value):
            return
        case list():
            for position, item in enumerate(value):
                _require_json(item, path=f"{path}[{position}]", id=id, depth=depth + 1)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise StoreError(
                        f"{path} of passage {id!r} has the key {key!r}; metadata keys are strings", code="bad-passage"
                    )
                require_text(key, name=f"a key in {path} of passage {id!r}")
                _require_json(item, path=f"{path}[{key!r}]", id=id, depth=depth + 1)
        case _:
            raise StoreError(
                f"{path} of passage {id!r} is {value!r}, a {type(value).__name__}; metadata hold JSON types only "
                "(str, int, finite float, bool, None, list, dict): convert it first",
                code="bad-passage",
            )
