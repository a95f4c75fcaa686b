"""Where per-question results come from: records, or a table with the options that say which columns are whose.

Shared by the commands that read such results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.evaluation import LeftOut, Outcomes, RecordFile, TierColumns
    from automix_graph.evaluation.call_costs import Unit

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="NAME:QUALITY:COST[:CONFIDENCE]",
        help="A tier of a table; repeat, cheapest first. QUALITY and CONFIDENCE are columns, COST is a number or a "
        "column. The last tier has no CONFIDENCE.",
    ),
    click.option("--small", metavar="COLUMN", help="For two tiers: quality of the small model."),
    click.option("--large", metavar="COLUMN", help="For two tiers: quality of the large model."),
    click.option("--confidence", metavar="COLUMN", help="For two tiers: confidence that the small answer is right."),
    click.option("--cost-small", metavar="COST", help="For two tiers: of a small answer, a number or a column."),
    click.option("--cost-large", metavar="COST", help="For two tiers: of a large answer, a number or a column."),
    click.option(
        "--verify-cost",
        metavar="COST",
        show_default="0",
        help="Of one verification in a table, a number or a column.",
    ),
)


def tier_options(command: Command) -> Command:
    """Add ``--tier`` and its shorthand for two tiers to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class TierOptions:
    """The values of `tier_options`; none of them is given for records.

    Attributes:
        tiers: one text a tier.
        small: column.
        large: column.
        confidence: column.
        cost_small: number or column.
        cost_large: number or column.
        verify_cost: number or column.
    """

    tiers: tuple[str, ...] = ()
    small: str | None = None
    large: str | None = None
    confidence: str | None = None
    cost_small: str | None = None
    cost_large: str | None = None
    verify_cost: str | None = None

    @property
    def given(self) -> list[str]:
        """The options that were given, as they are written."""
        return [_written(entry.name) for entry in fields(self) if getattr(self, entry.name) not in {None, ()}]

    @property
    def shorthand(self) -> dict[str, str | None]:
        """What two tiers need in place of ``--tier``, by option."""
        names = ("small", "large", "confidence", "cost_small", "cost_large")
        return {_written(name): getattr(self, name) for name in names}

    def check(self) -> None:
        """Refuse what describes no tiers, or describes them twice.

        Raises:
            UsageError: so it is.
        """
        given = [name for name, value in self.shorthand.items() if value is not None]
        missing = [name for name, value in self.shorthand.items() if not value]
        if self.tiers and given:
            raise click.UsageError(f"give either --tier or {given[0]}, not both")
        if not self.tiers and missing:
            raise click.UsageError(
                f"{', '.join(missing)} not given; give --tier for each tier, or all of {', '.join(self.shorthand)}; "
                "only a file of records needs none"
            )

    def columns(self) -> list[TierColumns]:
        """Return the columns of the tiers; `check` has passed."""
        from automix_graph.evaluation import TierColumns
        from automix_graph.evaluation.tier_columns import parse_cost

        if self.tiers:
            return [TierColumns.parse(text) for text in self.tiers]
        return [
            TierColumns(
                name="small",
                quality=self.small or "",
                cost=parse_cost(self.cost_small or ""),
                confidence=self.confidence,
            ),
            TierColumns(name="large", quality=self.large or "", cost=parse_cost(self.cost_large or "")),
        ]


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a file of per-question results holds.

    Attributes:
        outcomes: of every tier.
        left_out: questions that have none.
        records: the file of records; None for a table.
    """

    outcomes: Outcomes
    left_out: LeftOut
    records: RecordFile | None = None


def read_source(
    path: Path,
    options: TierOptions,
    *,
    prices: Mapping[str, Price] | None = None,
    unit: Unit | None = None,
    by_agreement: bool = False,
) -> Source:
    """Read a table where tiers are described, else records.

    Args:
        path: of the table, or of the records.
        options: of the tiers.
        prices: of models, in USD per million tokens; for records.
        unit: of costs; for records. None: USD.
        by_agreement: whether quality is that the small answer says what the large one says, instead of the scores; for
            records.

    Raises:
        UsageError: the options do not fit together, or do not fit the file.
        ConfigurationError: the file cannot be used.
    """
    if options.given:
        options.check()
        if prices or unit:
            raise click.UsageError(
                f"{'--price' if prices else '--unit'} is for records; the costs of a table are those that "
                "--cost-small, --cost-large and --tier give"
            )
        return _from_table(path, options)
    from automix_graph.evaluation.recorded_outcomes import holds_records

    if not holds_records(path):
        options.check()
    return _from_records(path, prices or {}, unit or "usd", by_agreement)


def _from_table(path: Path, options: TierOptions) -> Source:
    from automix_graph.evaluation import LeftOut, read_outcomes
    from automix_graph.evaluation.tier_columns import parse_cost

    outcomes = read_outcomes(path, options.columns(), parse_cost(options.verify_cost or "0"))
    return Source(outcomes=outcomes, left_out=LeftOut())


def _from_records(path: Path, prices: Mapping[str, Price], unit: Unit, by_agreement: bool) -> Source:
    from automix_graph.calibration.agreement import scored_by_agreement
    from automix_graph.evaluation import outcomes_of, read_records

    file = read_records(path)
    models = sorted({call.model for row in file.rows if row.record is not None for call in row.record.calls})
    unknown = [label for label in prices if label not in models]
    if unknown:
        raise ConfigurationError(
            f"--price {unknown[0]} names none of the models of the records: {', '.join(models) or 'there are none'}"
        )
    rows = scored_by_agreement(file.rows) if by_agreement else file.rows
    outcomes, left_out = outcomes_of(rows, prices=prices, unit=unit)
    return Source(outcomes=outcomes, left_out=left_out, records=file)


def _written(name: str) -> str:
    return "--tier" if name == "tiers" else f"--{name.replace('_', '-')}"
