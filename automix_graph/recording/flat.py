"""Records as a Parquet table: one row a question, with the numbers that people look at in columns of their own.

The column ``record`` holds each record as it was, so that nothing is lost and `read_records` reads such a file too.
Needs pyarrow. Nothing here knows a policy.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from automix_graph.costs import total_cost
from automix_graph.errors import MissingExtraError
from automix_graph.evaluation.record_files import PARQUET_COLUMN, PARQUET_SETTINGS, RecordFile, read_records
from automix_graph.records import Call, Recorded, Route, Stage

_TEXT: Final = (
    "id",
    "question",
    "small_answer",
    "large_answer",
    "verdict",
    "method",
    "route",
    "scorer",
    "error",
    "time",
)
_LISTS: Final = ("answers",)
_TIERS: Final[tuple[Route, ...]] = ("small", "large")
_NUMBERS: Final = (
    "small_score",
    "large_score",
    "confidence",
    "cost",
    "always_large_cost",
    "scoring_cost",
    *(f"{stage}_{what}" for stage in get_args(Stage) for what in ("cost", "seconds")),
)
_COUNTS: Final = tuple(f"{stage}_{what}_tokens" for stage in get_args(Stage) for what in ("input", "output"))
_BATCH: Final = 1000


def write_parquet(records: str | Path, out: str | Path) -> RecordFile:
    """Write a file of records as a Parquet table, replacing one that is there in one step.

    Columns: ``id``, ``question``, ``answers``, ``small_answer``, ``large_answer``, ``small_score``, ``large_score``,
    ``verdict``, ``confidence``, ``method``, ``route``, ``cost`` (of the question), ``always_large_cost``,
    ``scoring_cost``, ``scorer``, ``error``, ``time``, for each of ``small_answer``, ``verify`` and ``large_answer``
    ``_cost``, ``_seconds``, ``_input_tokens`` and ``_output_tokens``, and ``record``. Costs are in USD; what is unknown
    is null.

    Args:
        records: a file of records; the last one of each id is written.
        out: the table.

    Returns:
        What was read.

    Raises:
        ConfigurationError: the records cannot be read.
        MissingExtraError: pyarrow is not installed.
    """
    require_pyarrow()
    import pyarrow
    from pyarrow import parquet

    found = read_records(records)
    settings = json.dumps({"fingerprint": found.settings, "settings": dict(found.described)})
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in _TEXT),
            *((name, pyarrow.list_(pyarrow.string())) for name in _LISTS),
            *((name, pyarrow.float64()) for name in _NUMBERS),
            *((name, pyarrow.int64()) for name in _COUNTS),
            (PARQUET_COLUMN, pyarrow.string()),
        ],
        metadata={PARQUET_SETTINGS: settings.encode("ascii")},
    )
    out = Path(out)
    new = out.with_name(f".{out.name}.new")
    try:
        with parquet.ParquetWriter(new, schema) as writer:
            for start in range(0, len(found.rows), _BATCH):
                rows = [flat(row) for row in found.rows[start : start + _BATCH]]
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
        os.replace(new, out)
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
    return found


def require_pyarrow() -> None:
    """Refuse to go on where Parquet files cannot be written.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401 - only to know
    except ImportError as error:
        raise MissingExtraError("writing Parquet files", extra="evaluation") from error


def flat(row: Recorded) -> dict[str, Any]:
    """Return the columns of a record.

    Example:
        >>> flat(Recorded(id="1", answers=("May",), scores={"small": 1.0}))["small_score"]
        1.0
    """
    columns: dict[str, Any] = dict.fromkeys((*_TEXT, *_NUMBERS, *_COUNTS))
    columns |= {"id": row.id, "answers": list(row.answers), "scorer": row.scorer, "error": row.error, "time": row.time}
    columns |= {f"{tier}_score": row.scores.get(tier) for tier in _TIERS}
    columns |= {"scoring_cost": total_cost(row.scoring), PARQUET_COLUMN: row.to_json()}
    record = row.record
    if record is not None:
        columns |= {"question": record.question, "route": record.route, "cost": total_cost(record.calls)}
        columns |= {f"{draft.tier}_answer": draft.text for draft in record.drafts}
        columns["always_large_cost"] = record.bill.always_large if record.bill else None
        for stage in get_args(Stage):
            columns |= _stage(stage, [call for call in record.calls if call.stage == stage])
        for verification in record.verifications[-1:]:
            columns |= {
                "verdict": verification.verdict.value,
                "confidence": verification.confidence,
                "method": verification.method,
            }
    return {name: _encodable(value) for name, value in columns.items()}


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
