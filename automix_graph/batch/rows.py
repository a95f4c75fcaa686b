"""The rows of the output, and what they tell of themselves when they are read again.

A row is the same whenever and however often it is made from the same replies: it holds no time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from langchain_core.documents import Document

from automix_graph.batch.questions import Question
from automix_graph.costs import summarise
from automix_graph.errors import ModelCallError
from automix_graph.models.failures import reason_of
from automix_graph.models.given_up import GivenUp
from automix_graph.recording.spending import Spent
from automix_graph.records import ABSTAINED, FIRST, Bill, Call

_ESCAPED: Final = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
"""What some readers take for the end of a line."""
_DIGEST: Final = 16
_TAKEN: Final = ("answer", "route", "confidence", "verdict", "degraded", "degraded_reason", "cost")
NEEDED: Final = (*_TAKEN, "usage", "documents")
"""What a row is made of, of what a graph returns."""


class Keys:
    """Keys of the rows of one configuration: sums over configuration, id and question.

    Args:
        settings: fingerprint of the configuration.

    Example:
        >>> keys = Keys("a")
        >>> keys.of(Question(id=1, text="Q")) == keys.of(Question(id=1, text="q"))
        False
    """

    def __init__(self, settings: str) -> None:
        self._settings = settings

    def of(self, question: Question) -> bytes:
        """Return the key of a question, 16 bytes."""
        content = json.dumps([self._settings, question.id, question.text], separators=(",", ":"))
        return hashlib.blake2b(content.encode("ascii"), digest_size=_DIGEST).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What is read of a row.

    Attributes:
        key: of its question under its configuration.
        route: where the question ended; None where it failed.
        failed: whether it failed.
        degraded: whether the answer was rejected and is the best there is.
        spent: on the question, as far as it is known.
        unpriced: calls that succeeded or were given up, and of which not even the worst is known.
        charged: to the ceiling on the cost, in USD: what is known, and calls that were given up at their worst.
    """

    key: bytes
    route: str | None
    failed: bool
    degraded: bool
    spent: Spent
    unpriced: int
    charged: float

    @property
    def escalated(self) -> bool:
        """Whether another tier than the first answered, or failed to."""
        return self.degraded or self.route not in {FIRST, ABSTAINED, None}

    @classmethod
    def by(cls, row: Mapping[str, Any]) -> Self:
        """Read a row.

        Raises:
            ValueError: it is none.
        """
        try:
            key = bytes.fromhex(row["fingerprint"])
            if len(key) != _DIGEST:
                raise ValueError("its fingerprint has another length")
            usage = row["usage"]
            return cls(
                key=key,
                route=row["route"],
                failed=row["error"] is not None,
                degraded=row["degraded"],
                spent=Spent(cost=row["cost"], at_least=float(usage["cost_at_least"])),
                unpriced=int(usage["unpriced_calls"]),
                charged=float(usage["charged"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no row of a batch: {error!r}") from error


@dataclass(frozen=True, kw_only=True)
class RowShape:
    """What rows hold.

    Attributes:
        with_question: the question too.
        with_texts: the texts of the sources too.
    """

    with_question: bool
    with_texts: bool

    def answered(self, question: Question, key: bytes, result: Mapping[str, Any], given_up: GivenUp) -> dict[str, Any]:
        """Return the row of a question that a graph answered.

        Args:
            question: that was asked.
            key: of the row.
            result: see `AutomixOutput`.
            given_up: calls of the question whose cost nobody knows.
        """
        told = {name: result[name] for name in _TAKEN}
        sources = [self._source(document) for document in result["documents"]]
        usage = _sums(result["usage"], given_up)
        return self._row(question, key, {**told, "usage": usage, "sources": sources, "error": None})

    def failed(
        self, question: Question, key: bytes, error: Exception, calls: Sequence[Call], given_up: GivenUp
    ) -> dict[str, Any]:
        """Return the row of a question that failed.

        Args:
            question: that failed.
            key: of the row.
            error: why.
            calls: those before the failure, as far as they are known. What the failed one cost is not.
            given_up: calls of the question whose cost nobody knows.
        """
        known = sum(call.cost or 0.0 for call in calls)
        bill = Bill(cost=None, at_least=known, always_large=None, estimated=True)
        told = {**dict.fromkeys(_TAKEN), "degraded": False}
        usage = _sums(summarise(calls, bill), given_up)
        return self._row(question, key, {**told, "usage": usage, "sources": [], "error": _why(error)})

    def _row(self, question: Question, key: bytes, fields: Mapping[str, Any]) -> dict[str, Any]:
        asked = {"question": question.text} if self.with_question else {}
        return {"id": question.id, **asked, **fields, "fingerprint": key.hex()}

    def _source(self, document: Document) -> dict[str, Any]:
        text = {"text": document.page_content} if self.with_texts else {}
        return {"id": document.id, "metadata": document.metadata, **text}


def line_of(row: Mapping[str, Any]) -> bytes:
    r"""Return a row as a line of JSON with its line feed, in UTF-8.

    Example:
        >>> line_of({"answer": "五月\u2028"}).decode()
        '{"answer":"五月\\u2028"}\n'
    """
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_ESCAPED)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can write
        return f"{json.dumps(row, separators=(',', ':'), allow_nan=False)}\n".encode("ascii")


def _sums(usage: Mapping[str, Any], given_up: GivenUp) -> dict[str, Any]:
    calls: Sequence[Mapping[str, Any]] = usage["calls"]
    unpriced = sum(call["cost"] is None and call["error"] is None for call in calls)
    return {
        "calls": len(calls),
        "failed_calls": sum(call["error"] is not None for call in calls),
        "unpriced_calls": unpriced + given_up.unpriced,
        "charged": usage["cost_at_least"] + given_up.at_worst,
        **{name: value for name, value in usage.items() if name not in {"calls", "seconds"}},
    }


def _why(error: Exception) -> str:
    """Return why a question failed, without the words of a provider, which may repeat a prompt."""
    return str(error) if isinstance(error, ModelCallError) else reason_of(error)
