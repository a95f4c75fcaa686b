"""What calibration needs of records beside their outcomes: which are of the same question, and whose they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from automix_graph.evaluation.record_files import RecordFile
from automix_graph.policies import MadeFor, TierMade
from automix_graph.records import Call, Record, Recorded, Stage

_REDACTED: Final = re.compile(r"\[redacted, \d+ characters\]")


def is_redacted(text: str) -> bool:
    """Return whether a text was replaced by its length when it was recorded.

    Example:
        >>> is_redacted("[redacted, 5 characters]"), is_redacted("Paris")
        (True, False)
    """
    return _REDACTED.fullmatch(text) is not None


def folded(text: str) -> str:
    """Return a text without what does not make it another question: case, width, and the number of spaces.

    Example:
        >>> folded("When  did it END? ")
        'when did it end?'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def question_groups(rows: Sequence[Recorded], ids: Iterable[str]) -> list[str]:
    """Return the question of each of some records, so that copies of one are known; that of a redacted one is its id.

    Args:
        rows: the records.
        ids: of those that are wanted, in the order that is wanted.
    """
    records = {row.id: row.record for row in rows}
    return [_group(name, records[name]) for name in ids]


def _group(name: str, record: Record | None) -> str:
    # An id and a question never look alike.
    if record is None or is_redacted(record.question):
        return f"id {name}"
    return f"question {folded(record.question)}"


def made_for_records(file: RecordFile) -> MadeFor | None:
    """Return whose answers and verifications a file of records holds; None where it does not tell."""
    records = [row.record for row in file.rows if row.record is not None and row.error is None]
    calls = [call for record in records for call in record.calls]
    methods = {found.method for record in records for found in record.verifications}
    described = file.described
    models = {
        "small": _model(described, "small", calls, "small_answer"),
        "large": _model(described, "large", calls, "large_answer"),
    }
    method = _mapping(described.get("verifier")).get("method") or (methods.pop() if len(methods) == 1 else None)
    if method is None or None in models.values():
        return None
    return MadeFor(
        tiers=tuple(
            TierMade(name=name, model=model or "", prompts=_prompts(described.get(name)))
            for name, model in models.items()
        ),
        verifier=str(method),
        judges=tuple(sorted({call.model for call in calls if call.stage == "verify"})),
        prompts=_prompts(described.get("verifier")),
    )


def _model(described: Mapping[str, Any], tier: str, calls: Sequence[Call], stage: Stage) -> str | None:
    """Return the label of a tier's model, from the settings or, where there are none, the calls."""
    if label := _mapping(described.get(tier)).get("label"):
        return str(label)
    asked = {call.model for call in calls if call.stage == stage}
    return asked.pop() if len(asked) == 1 else None


def _prompts(described: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in _mapping(_mapping(described).get("prompts")).items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
