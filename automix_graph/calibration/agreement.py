"""Calibration without gold answers: the large model's answer is what the small one is measured by.

Quality is then agreement: 1 for every large answer, by definition, and for a small one whether it says what the large
one says. A policy that is calibrated so promises nothing about truth: where both models are wrong alike, that counts as
right, and where the small model alone is right, as wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.answers import is_correct
from automix_graph.evaluation.outcomes import Outcomes, Tier
from automix_graph.records import LAST, Record, Recorded, is_redacted


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


def scored_by_agreement(rows: Sequence[Recorded]) -> list[Recorded]:
    """Return recorded questions whose scores are agreements; those without answers to compare get none.

    Another answer agrees if it counts as right with the large one as the gold answer (`evaluation.answers.is_correct`),
    which is meant for short answers.

    Raises:
        ConfigurationError: the texts of answers were redacted, or are in a language that cannot be compared.
    """
    return [dataclasses.replace(row, scores={} if row.record is None else _scores(row.id, row.record)) for row in rows]


def _scores(name: str, record: Record) -> dict[str, float]:
    large = record.draft(LAST)
    others = [draft for draft in record.drafts if draft.tier != LAST]
    if not others or large is None or not large.text.strip():
        return {}
    if any(is_redacted(draft.text) for draft in record.drafts):
        raise ConfigurationError(
            f"record {name!r} is redacted, and lengths do not tell whether two answers agree; record without "
            "redaction, or give a table with a column that says it"
        )
    try:
        agreeing = {draft.tier: float(is_correct(draft.text, [large.text], record.language)) for draft in others}
    except ValueError as error:
        raise ConfigurationError(f"the answers of record {name!r} cannot be compared: {error}") from error
    return {**agreeing, LAST: 1.0}
