"""Records as a Parquet table: one row a question, with the numbers that people look at in columns of their own.

The column ``record`` holds each record as it was, so that nothing is lost and `read_records` reads such a file too.
Needs pyarrow. Nothing here knows a policy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from automix_graph.costs import total_cost
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import arrow
from automix_graph.evaluation.record_files import PARQUET_COLUMN, PARQUET_SETTINGS, RecordFile, read_records
from automix_graph.files import replacing
from automix_graph.records import FIRST, Call, Recorded, answer_stage, stages, tiers_among

_BATCH: Final = 1000


def write_parquet(records: str | Path, out: str | Path) -> RecordFile:
    """Write a file of records as a Parquet table, replacing one that is there in one step.

    Columns: ``id``, ``question``, ``answers``, for each tier its answer and score (``small_answer``, ``small_score``),
    ``verdict``, ``confidence`` and ``method`` of the first verification (of others with the tier in front, such as
    ``middle_verdict``), ``route``, ``cost`` (of the question), ``always_large_cost``, ``scoring_cost``, ``scorer``,
    ``error``, ``time``, for each node that calls models, such as ``small_answer`` and ``verify``, ``_cost``,
    ``_seconds``, ``_input_tokens`` and ``_output_tokens``, and ``record``. Costs are in USD; what is unknown is null.

    Args:
        records: a file of records; the last one of each id is written.
        out: the table.

    Returns:
        What was read.

    Raises:
        ConfigurationError: the records cannot be read, or the table cannot be written.
        MissingExtraError: pyarrow is not installed.
    """
    arrow.require_pyarrow("writing Parquet files")
    import pyarrow
    from pyarrow import parquet

    found = read_records(records)
    settings = json.dumps({"fingerprint": found.settings, "settings": dict(found.described)})
    tiers = tiers_among(draft.tier for row in found.rows if row.record is not None for draft in row.record.drafts)
    types = {"text": pyarrow.string(), "texts": pyarrow.list_(pyarrow.string())}
    types |= {"number": pyarrow.float64(), "count": pyarrow.int64()}
    schema = pyarrow.schema(
        [(name, types[kind]) for name, kind in _columns(tiers).items()],
        metadata={PARQUET_SETTINGS: settings.encode("ascii")},
    )
    try:
        with replacing(Path(out)) as fresh, parquet.ParquetWriter(fresh, schema) as writer:
            for start in range(0, len(found.rows), _BATCH):
                rows = [flat(row, tiers) for row in found.rows[start : start + _BATCH]]
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
    except OSError as error:
        raise ConfigurationError(
            f"table {str(out)!r} cannot be written: {error.strerror or error}", code="file-unwritable"
        ) from error
    return found


def flat(row: Recorded, tiers: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a record.

    Args:
        row: the record.
        tiers: of the cascade, cheapest first.

    Example:
        >>> flat(Recorded(id="1", answers=("May",), scores={"small": 1.0}), ("small", "large"))["small_score"]
        1.0
    """
    columns: dict[str, Any] = dict.fromkeys(_columns(tiers))
    columns |= {"id": row.id, "answers": list(row.answers), "scorer": row.scorer, "error": row.error, "time": row.time}
    columns |= {f"{tier}_score": row.scores.get(tier) for tier in tiers}
    columns |= {"scoring_cost": total_cost(row.scoring), PARQUET_COLUMN: row.to_json()}
    record = row.record
    if record is not None:
        columns |= {"question": record.question, "route": record.route, "cost": total_cost(record.calls)}
        columns |= {answer_stage(draft.tier): draft.text for draft in record.drafts}
        columns["always_large_cost"] = record.bill.always_large if record.bill else None
        for stage in stages(len(tiers)):
            columns |= _stage(stage, [call for call in record.calls if call.stage == stage])
        for tier, verification in zip(tiers, record.verifications, strict=False):
            columns |= {
                f"{_whose(tier)}verdict": verification.verdict.value,
                f"{_whose(tier)}confidence": verification.confidence,
                f"{_whose(tier)}method": verification.method,
            }
    return {name: _encodable(value) for name, value in columns.items()}


def _columns(tiers: Sequence[str]) -> dict[str, str]:
    """Return the columns in order, each with the kind of its values."""
    judged = [_whose(tier) for tier in tiers[:-1]]
    kinds = {
        "text": ["id", "question", *map(answer_stage, tiers), "route", "scorer", "error", "time"],
        "texts": ["answers"],
        "number": [*(f"{tier}_score" for tier in tiers), "cost", "always_large_cost", "scoring_cost"],
        "count": [],
    }
    for whose in judged:
        kinds["text"] += [f"{whose}verdict", f"{whose}method"]
        kinds["number"].append(f"{whose}confidence")
    for stage in stages(len(tiers)):
        kinds["number"] += [f"{stage}_cost", f"{stage}_seconds"]
        kinds["count"] += [f"{stage}_input_tokens", f"{stage}_output_tokens"]
    named = {name: kind for kind, names in kinds.items() for name in names}
    return {**named, PARQUET_COLUMN: "text"}


def _whose(tier: str) -> str:
    return "" if tier == FIRST else f"{tier}_"


def _stage(stage: str, calls: Sequence[Call]) -> dict[str, Any]:
    if not calls:
        return {}
    return {
        f"{stage}_cost": total_cost(calls),
        f"{stage}_seconds": sum(call.seconds for call in calls),
        f"{stage}_input_tokens": _known_sum([call.usage.input_tokens for call in calls]),
        f"{stage}_output_tokens": _known_sum([call.usage.output_tokens for call in calls]),
    }


def _known_sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _encodable(value: Any) -> Any:
    """Return a value that Parquet can hold: a lone surrogate, which no encoding knows, is replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value
