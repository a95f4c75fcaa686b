"""From recorded questions to outcomes: what each tier's answer was worth, and what it cost at any prices.

Costs are worked out again from the tokens or seconds of the calls, never read from the records, so that one recording
can be evaluated at other prices. Nothing here scores an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from automix_graph.costs import Price, Prices, asked_alone
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.call_costs import CostOf, Unit, cost_in
from automix_graph.evaluation.left_out import LeftOut, Reason
from automix_graph.evaluation.outcomes import Outcomes, Tier
from automix_graph.evaluation.parquet import column_names
from automix_graph.evaluation.record_files import PARQUET_COLUMN, lines_of
from automix_graph.records import (
    FIRST,
    LAST,
    SKIPPED,
    Call,
    Record,
    Recorded,
    Stage,
    Verification,
    answer_stage,
    tiers_among,
    verify_stage,
)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A recorded question that can be evaluated; the lists have an entry for each tier.

    Attributes:
        id: of the question.
        scores: of the answers.
        costs: of the answers, as they were charged.
        alone: of the answers, had nothing of the question come before them.
        verifications: of each tier but the last.
        verify_costs: likewise.
        uncharged: whether a call failed that told no tokens.
    """

    id: str
    scores: list[float]
    costs: list[float]
    alone: list[float]
    verifications: list[Verification]
    verify_costs: list[float]
    uncharged: bool


def outcomes_of(
    rows: Sequence[Recorded],
    *,
    prices: Mapping[str, Price | Sequence[float]] | None = None,
    unit: Unit = "usd",
) -> tuple[Outcomes, LeftOut]:
    """Return the outcomes of recorded questions, and which questions had to be left out.

    A model alone is charged for its answer with as much of the prompt cached as the first call to the same model in
    that question found (`automix_graph.costs.asked_alone`): asked alone, it finds no prompt that its own
    verification has read. A call that failed and told no tokens is not charged; its question is named.

    Args:
        rows: recorded with the same settings.
        prices: USD per million tokens by model label, where list prices do not apply.
        unit: of costs.

    Returns:
        The outcomes of all tiers, ``"small"`` first and ``"large"`` last, and the questions without them by reason.

    Raises:
        ConfigurationError: no question is left, settings are mixed, two records have the same id, a price is unknown,
            or a score lies outside [0, 1].

    Example:
        >>> from automix_graph.records import Draft, Usage, Verdict
        >>> read = Usage(input_tokens=1000, output_tokens=50)
        >>> calls = [Call(stage=stage, model="m", usage=read, seconds=1) for stage in ("small_answer", "large_answer")]
        >>> judged = Verification(method="words", verdict=Verdict.CORRECT, confidence=0.9)
        >>> drafts = (Draft(tier="small", text="Paris"), Draft(tier="large", text="Paris"))
        >>> record = Record(question="Capital of France?", language="en", prompts="", drafts=drafts, calls=tuple(calls),
        ...                 verifications=(judged,))
        >>> row = Recorded(id="1", record=record, scores={"small": 1.0, "large": 1.0})
        >>> outcomes, left_out = outcomes_of([row, Recorded(id="2", error="timeout")], unit="tokens")
        >>> outcomes.ids, outcomes.large.cost, left_out.counts
        (('1',), array([1050.]), {'failed': 1})
    """
    _check_settings(rows)
    cost_of = cost_in(unit, rows, Prices(prices))
    names = tiers_among(draft.tier for row in rows if row.record is not None for draft in row.record.drafts)
    read = [(row.id, _read(row, names, cost_of)) for row in rows]
    kept = [found for _, found in read if isinstance(found, _Row)]
    dropped = [(name, found) for name, found in read if not isinstance(found, _Row)]
    left_out = LeftOut.of(dropped, uncharged=(row.id for row in kept if row.uncharged))
    if not kept:
        told = ", ".join(f"{reason}: {count}" for reason, count in left_out.counts.items()) or "there are none"
        raise ConfigurationError(
            f"no recorded question can be evaluated ({told}); each needs the answers of all tiers, a verification of "
            "each but the last, and scores",
            code="records",
        )
    try:
        return _outcomes(kept, names, unit), left_out
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the records cannot be evaluated (rows count from 0): {error}", code="records"
        ) from error


def _outcomes(rows: Sequence[_Row], names: Sequence[str], unit: Unit) -> Outcomes:
    tiers = []
    for position, name in enumerate(names):
        judged = position < len(names) - 1
        tiers.append(
            Tier(
                name=name,
                quality=[row.scores[position] for row in rows],
                cost=[row.costs[position] for row in rows],
                alone_cost=[row.alone[position] for row in rows],
                verifications=[row.verifications[position] for row in rows] if judged else None,
                verify_cost=[row.verify_costs[position] for row in rows] if judged else 0.0,
            )
        )
    return Outcomes(tiers=tuple(tiers), ids=tuple(row.id for row in rows), unit=unit)


def _missing(row: Recorded, names: Sequence[str]) -> Reason | None:
    """Return why a question cannot be evaluated in any unit."""
    record = row.record
    if row.error is not None or record is None:
        return "failed"
    for name in names:
        answered = record.draft(name) is not None and asked_alone(record.calls, name) is not None
        if not answered and (name == LAST or name not in row.scores):
            return f"no {name} answer"
    if len(record.verifications) < len(names) - 1 or SKIPPED in record.verifications:
        return "not verified"
    return None if row.scores.keys() >= set(names) else "not scored"


def _read(row: Recorded, names: Sequence[str], cost_of: CostOf) -> _Row | Reason:
    if (reason := _missing(row, names)) is not None:
        return reason
    record = cast("Record", row.record)
    costs = [_total(record.calls, answer_stage(name), cost_of) for name in names]
    verify_costs = [_total(record.calls, verify_stage(name), cost_of) for name in names[:-1]]
    alone = [_alone(record.calls, name, cost_of) for name in names]
    if None in (*costs, *verify_costs, *alone):
        return "unknown cost"
    return _Row(
        id=row.id,
        scores=[row.scores[name] for name in names],
        costs=cast("list[float]", costs),
        alone=cast("list[float]", alone),
        verifications=list(record.verifications),
        verify_costs=cast("list[float]", verify_costs),
        uncharged=any(_told_nothing(call) and cost_of(call) is None for call in record.calls),
    )


def _alone(calls: Sequence[Call], tier: str, cost_of: CostOf) -> float | None:
    if tier == FIRST:
        return _total(calls, answer_stage(tier), cost_of)  # nothing comes before it
    alone = asked_alone(calls, tier)
    return _total(calls, answer_stage(tier), cost_of) if alone is None else cost_of(alone)


def _total(calls: Sequence[Call], stage: Stage, cost_of: CostOf) -> float | None:
    costs = [(call, cost_of(call)) for call in calls if call.stage == stage]
    charged = [cost for call, cost in costs if cost is not None or not _told_nothing(call)]
    known = [cost for cost in charged if cost is not None]
    return math.fsum(known) if len(known) == len(charged) else None


def _told_nothing(call: Call) -> bool:
    """Whether a call failed before anybody counted tokens, as one does that never reached its model."""
    return call.error is not None and call.usage.input_tokens is None and call.usage.output_tokens is None


def holds_records(path: Path) -> bool:
    """Return whether a file is one of records, by its first line or, for Parquet, its columns.

    Raises:
        ConfigurationError: the file cannot be read.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    if path.suffix.lower() == ".parquet":
        return PARQUET_COLUMN in column_names(path)
    if path.suffix.lower() == ".csv":
        return False
    try:
        with path.open("rb") as file:
            first = next(lines_of(file, path), None)
    except OSError as error:
        raise ConfigurationError(
            f"file {str(path)!r} cannot be read: {error.strerror or error}", code="records"
        ) from error
    except ConfigurationError:
        return False
    if first is None or first.data is None:
        return False
    return first.is_settings or first.data.keys() >= {"id", "record", "scores"}


def _check_settings(rows: Sequence[Recorded]) -> None:
    settings = sorted({row.settings for row in rows})
    if len(settings) > 1:
        raise ConfigurationError(
            f"the records were made with {len(settings)} different settings ({', '.join(map(repr, settings))}); "
            "evaluate those of one setting at a time",
            code="other-configuration",
        )
    ids = [row.id for row in rows]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise ConfigurationError(
            f"two records have the id {twice!r}; keep the one that counts, as read_records does", code="records"
        )
