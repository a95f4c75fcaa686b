"""What calibration needs of records beside their outcomes: which are of the same question, and whose they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from automix_graph.evaluation.record_files import RecordFile
from automix_graph.policies import MadeFor, TierMade, VerifierMade
from automix_graph.records import (
    LAST,
    Call,
    Record,
    Recorded,
    Stage,
    answer_stage,
    is_redacted,
    tiers_among,
    verify_stage,
)


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
    names = tiers_among(draft.tier for record in records for draft in record.drafts)
    tiers = [_tier(position, name, records, file.described) for position, name in enumerate(names)]
    known = [tier for tier in tiers if tier is not None]
    return MadeFor(tiers=tuple(known)) if len(known) == len(names) else None


def _tier(position: int, name: str, records: Sequence[Record], described: Mapping[str, Any]) -> TierMade | None:
    calls = [call for record in records for call in record.calls]
    model = _model(described, name, calls, answer_stage(name))
    told = _mapping(described.get(name))
    if model is None:
        return None
    if name == LAST:
        return TierMade(name=name, model=model, prompts=_prompts(told))
    found = {record.verifications[position].method for record in records if len(record.verifications) > position}
    verifier = _mapping(told.get("verifier"))
    method = verifier.get("method") or (found.pop() if len(found) == 1 else None)
    if method is None:
        return None
    judges = tuple(sorted({call.model for call in calls if call.stage == verify_stage(name)}))
    made = VerifierMade(method=str(method), judges=judges, prompts=_prompts(verifier))
    return TierMade(name=name, model=model, prompts=_prompts(told), verifier=made)


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
