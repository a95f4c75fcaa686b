"""Calibration without gold answers: the large model's answer is what the small one is measured by.

Quality is then agreement: 1 for every large answer, by definition, and for a small one whether it says what the large
one says. A policy that is calibrated so promises nothing about truth: where both models are wrong alike, that counts as
right, and where the small model alone is right, as wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.answers import is_correct
from automix_graph.evaluation.outcomes import Outcomes, Tier
from automix_graph.records import LAST, Record, Recorded, agreement_scorers, is_redacted


def large_is_right(outcomes: Outcomes) -> Outcomes:
    """Return outcomes in which every answer of the last tier is worth 1: the other qualities are agreements with it.

    Example:
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3])
        >>> large_is_right(Outcomes(tiers=(small, Tier(name="large", quality=[0, 1], cost=20)))).large.quality
        array([1., 1.])
    """
    last = outcomes.large
    right = Tier(name=last.name, quality=np.ones(outcomes.n), cost=last.cost, alone_cost=last.alone_cost)
    return dataclasses.replace(outcomes, tiers=(*outcomes.tiers[:-1], right))


def require_quality(rows: Iterable[Recorded]) -> None:
    """Refuse recorded questions whose scores do not say whether answers are right.

    Raises:
        ConfigurationError: scores are agreements with the large model, as in records of shadow mode and of audits.

    Example:
        >>> require_quality([Recorded(id="1", scores={"small": 1.0, "large": 0.0}, scorer="auto")])
    """
    if scorers := agreement_scorers(rows):
        raise ConfigurationError(
            f"the scores of these records are by {', '.join(map(repr, scorers))}: they say whether answers agree with "
            "the large model's, not whether they are right; calibrate with --label-free, which promises agreement, or "
            "on records that 'automix record' made from questions with gold answers",
            code="records",
        )


def scored_by_agreement(rows: Sequence[Recorded]) -> list[Recorded]:
    """Return recorded questions whose scores are agreements; those without answers to compare get none.

    Another answer agrees if it counts as right with the large one as the gold answer (`evaluation.answers.is_correct`),
    which is meant for short answers. Records of shadow mode and of audits hold their agreements already, and keep them.

    Raises:
        ConfigurationError: the texts of answers were redacted, or are in a language that cannot be compared.
    """
    return [row if _is_compared(row) else dataclasses.replace(row, scores=_scores(row.id, row.record)) for row in rows]


def _is_compared(row: Recorded) -> bool:
    return row.origin is not None and bool(row.scores)


def _scores(name: str, record: Record | None) -> dict[str, float]:
    if record is None:
        return {}
    large = record.draft(LAST)
    others = [draft for draft in record.drafts if draft.tier != LAST]
    if not others or large is None or not large.text.strip():
        return {}
    if any(is_redacted(draft.text) for draft in record.drafts):
        raise ConfigurationError(
            f"record {name!r} is redacted, and lengths do not tell whether two answers agree; record without "
            "redaction, or give a table with a column that says it",
            code="records",
        )
    try:
        agreeing = {draft.tier: float(is_correct(draft.text, [large.text], record.language)) for draft in others}
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the answers of record {name!r} cannot be compared: {error}", code="records"
        ) from error
    return {**agreeing, LAST: 1.0}
