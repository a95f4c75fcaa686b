"""One row of a data set through all tiers, and scored: its record. Nothing here writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from automix_graph.engines.engine import Ask, Charge
from automix_graph.errors import ConfigurationError
from automix_graph.graph.all_tiers import AllTiers
from automix_graph.recording.judge import LLMJudge
from automix_graph.recording.rows import Row
from automix_graph.recording.scoring import Score, Scorer
from automix_graph.recording.settings import Settings
from automix_graph.records import Recorded


def remade(scorer: Scorer) -> Callable[[], Scorer]:
    """Return what makes a scorer again in another process: a judge holds a client, which cannot be sent."""
    if isinstance(scorer, LLMJudge):
        return partial(LLMJudge, judge=scorer.judge, prices=scorer.prices)
    return lambda: scorer


def recorder(make: Callable[[], AllTiers], make_scorer: Callable[[], Scorer], settings: Settings) -> Ask[Row, Recorded]:
    """Return what records a row.

    Args:
        make: makes whom to ask.
        make_scorer: makes the scorer of the answers.
        settings: that all records have in common.

    Raises:
        ConfigurationError: what is made here has others.
    """
    tiers, scorer = make(), make_scorer()
    found = Settings.of(tiers, scorer)
    if found.fingerprint != settings.fingerprint:
        told = "; ".join(found.differences(settings.described)).replace(" in the file", " where the file is written")
        raise ConfigurationError(
            f"an actor has another configuration: {told}; give all machines the same index, models and version of "
            "automix-graph",
            code="other-configuration",
        )

    async def record(row: Row) -> tuple[Recorded, Charge]:
        return await _recorded(row, tiers, scorer, settings.fingerprint), Charge()

    return record


async def _recorded(row: Row, tiers: AllTiers, scorer: Scorer, settings: str) -> Recorded:
    run = await tiers.arecord(row.question, row.passages)
    recorded = Recorded(
        id=row.id,
        settings=settings,
        row=row.fingerprint,
        answers=row.answers,
        record=run.record,
        error=run.error,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return await _scored(row, recorded, scorer) if row.answers and run.error is None else recorded


async def _scored(row: Row, recorded: Recorded, scorer: Scorer) -> Recorded:
    """Return the record with scores; the same answer of two tiers is scored once."""
    drafts = recorded.record.drafts if recorded.record else ()
    by_text: dict[str, Score] = {}
    for draft in drafts:
        if draft.text not in by_text:
            by_text[draft.text] = await scorer.score(row.question, draft.text, row.answers)
    calls = tuple(call for score in by_text.values() for call in score.calls)
    recorded = dataclasses.replace(recorded, scoring=calls)
    if errors := [score.error for score in by_text.values() if score.error is not None]:
        return dataclasses.replace(recorded, error="; ".join(dict.fromkeys(errors)))
    values: dict[str, float | None] = {draft.tier: by_text[draft.text].value for draft in drafts}
    scores = {tier: value for tier, value in values.items() if value is not None}
    return dataclasses.replace(recorded, scores=scores, scorer=scorer.name)
