"""All measures with intervals and definitions, and why some of them are undefined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automix_graph.evaluation.report.definitions import POLICY_DEFINITIONS, TIER_DEFINITIONS, Definition
from automix_graph.evaluation.report.policy_table import Cell, cell
from automix_graph.evaluation.results import Evaluation, Measures
from automix_graph.evaluation.undefined import Undefined


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
    """A measure.

    Attributes:
        definition: what it is.
        cells: its values, one a column of the table.
        unstable: on how many resamples it was undefined, the most of all columns.
    """

    definition: Definition
    cells: tuple[Cell, ...]
    unstable: int


@dataclass(frozen=True, kw_only=True)
class MeasureTable:
    """Measures of the same things.

    Attributes:
        title: for people.
        columns: what is measured.
        rows: one a measure.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[MeasureRow, ...]


def measure_tables(evaluation: Evaluation) -> tuple[MeasureTable, MeasureTable]:
    """Return the measures of the models and their confidence, and those of the policies."""
    results = [*evaluation.policies]
    if not isinstance(evaluation.hindsight, Undefined):
        results.append(evaluation.hindsight)
    names = tuple("best threshold in hindsight" if each.in_hindsight else each.name for each in results)
    return (
        _table("Models and confidence", ("value",), TIER_DEFINITIONS, [evaluation.tiers]),
        _table("Policies", names, POLICY_DEFINITIONS, [each.measures for each in results]),
    )


def reasons(tables: tuple[MeasureTable, ...]) -> tuple[tuple[str, str], ...]:
    """Return why measures are undefined: each reason once, with the measures that it holds for."""
    labels: dict[str, list[str]] = {}
    for table in tables:
        for row in table.rows:
            for column, found in zip(table.columns, row.cells, strict=True):
                if found.reason is not None:
                    several = len(table.columns) > 1
                    label = f"{row.definition.label} ({column})" if several else row.definition.label
                    labels.setdefault(found.reason, []).append(label)
    return tuple((", ".join(names), reason) for reason, names in labels.items())


def _table(
    title: str, columns: tuple[str, ...], definitions: Mapping[str, Definition], measured: list[Measures]
) -> MeasureTable:
    rows = tuple(
        MeasureRow(
            definition=definition,
            cells=tuple(cell(each.values[name], each.intervals[name], definition.kind) for each in measured),
            unstable=max(each.intervals[name].failed_resamples for each in measured),
        )
        for name, definition in definitions.items()
        if all(name in each.values for each in measured)
    )
    return MeasureTable(title=title, columns=columns, rows=rows)
