"""Rows of a data set: questions with their gold answers, and a context of their own where they have one.

A row has an ``id``, a ``question``, ``answers`` and optionally a ``context``; other columns are not read. A row that
cannot be used is listed, and the rest goes on. Nothing here knows a file or a model.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.records import Passage

COLUMNS: Final = ("id", "question", "answers", "context")
"""What is read of a row."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A question of a data set.

    Attributes:
        id: as text, unique in the data set.
        question: in words.
        answers: gold answers; empty where none are known: such a question is recorded, not scored.
        context: texts that the question is answered from, in place of retrieval; None where it has none of its own.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    context: tuple[str, ...] | None = None

    @property
    def fingerprint(self) -> str:
        """Sha256 over question, gold answers and context, in hexadecimal.

        Example:
            >>> Row(id="1", question="When?").fingerprint == Row(id="2", question="When?").fingerprint
            True
        """
        content = json.dumps([self.question, self.answers, self.context], separators=(",", ":"))
        return hashlib.sha256(content.encode("ascii")).hexdigest()

    @property
    def passages(self) -> tuple[Passage, ...] | None:
        """The context as models see it; None where there is none."""
        return None if self.context is None else tuple(Passage(text=text) for text in self.context)


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        place: where it stands, such as ``"line 3"``.
        reason: what is wrong with it, and what to do.
    """

    place: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a data set.

    Attributes:
        rows: those that can be used, in their order.
        bad: those that cannot.
    """

    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...] = ()


def answerable(found: Rows, *, use_context: bool, retriever: bool) -> Rows:
    """Return the rows for which there is something to answer from; the others become bad ones.

    Args:
        found: in a data set.
        use_context: whether a row's own context takes the place of retrieval.
        retriever: whether passages can be retrieved.

    Raises:
        ConfigurationError: there is nothing to answer any row from.
    """
    rows = found.rows if use_context else tuple(dataclasses.replace(row, context=None) for row in found.rows)
    usable = rows if retriever else tuple(row for row in rows if row.context is not None)
    if rows and not usable:
        raise ConfigurationError(
            "the rows have no context, and there is no index to retrieve from; give --index DIR", code="data-set"
        )
    lacking = {row.id for row in rows} - {row.id for row in usable}
    reason = "it has no context, and there is no index to retrieve from; give it one, or --index DIR"
    bad = tuple(BadRow(place=f"id {row.id!r}", reason=reason) for row in rows if row.id in lacking)
    return Rows(rows=usable, bad=(*found.bad, *bad))


def row_of(values: dict[str, Any] | str) -> Row:
    """Return a row; raise a ValueError that says what is wrong with it."""
    if isinstance(values, str):
        raise ValueError(values)
    question = values.get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"question is {_shown(question)}; give a text that is not blank")
    return Row(
        id=_id(values.get("id")),
        question=question,
        answers=_texts("answers", values.get("answers")),
        context=_texts("context", values.get("context")) or None,
    )


def _id(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # what pandas makes of whole numbers in a column with gaps
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not (isinstance(value, str) and value.strip()):
        raise ValueError(f"id is {_shown(value)}; give a text or a whole number, another one for each row")
    return str(value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    """Return a text or a list of texts as a tuple without the blank ones."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    texts = []
    for item in items:
        number = isinstance(item, int | float) and not isinstance(item, bool)
        if not isinstance(item, str) and not (number and name == "answers"):
            raise ValueError(f"{name} hold {_shown(item)}; give a text, or a list of texts")
        texts.append(str(item))
    return tuple(text for text in texts if text.strip())


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
