"""Where per-question results come from: records, or a table whose columns the options of tiers name.

Shared by the commands that read such results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from automix_graph.cli.tier_options import TierOptions
from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.evaluation import LeftOut, Outcomes, RecordFile
    from automix_graph.evaluation.call_costs import Unit

unit_option = click.option(
    "--unit",
    type=click.Choice(["usd", "seconds", "tokens"]),
    help="Of the costs of records: USD, seconds of all calls one after the other, or tokens (read anew or written).  "
    "[default: usd]",
)


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
    unpriced: Unit = "usd",
    by_agreement: bool = False,
) -> Source:
    """Read a table where tiers are described, else records.

    Args:
        path: of the table, or of the records.
        options: of the tiers.
        prices: of models, in USD per million tokens; for records.
        unit: of costs; for records. None: USD.
        unpriced: likewise, where nobody chose a unit and the price of a model is unknown; USD is then refused.
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
    return _from_records(path, prices or {}, unit, unpriced=unpriced, by_agreement=by_agreement)


def _from_table(path: Path, options: TierOptions) -> Source:
    from automix_graph.evaluation import LeftOut, read_outcomes
    from automix_graph.evaluation.tier_columns import parse_cost

    outcomes = read_outcomes(path, options.columns(), parse_cost(options.verify_cost or "0"))
    return Source(outcomes=outcomes, left_out=LeftOut())


def _from_records(
    path: Path, prices: Mapping[str, Price], unit: Unit | None, *, unpriced: Unit, by_agreement: bool
) -> Source:
    from automix_graph.calibration.agreement import scored_by_agreement
    from automix_graph.costs import Prices
    from automix_graph.evaluation import outcomes_of, read_records
    from automix_graph.evaluation.call_costs import unpriced_models

    file = read_records(path)
    models = sorted({call.model for row in file.rows if row.record is not None for call in row.record.calls})
    unknown = [label for label in prices if label not in models]
    if unknown:
        raise ConfigurationError(
            f"--price {unknown[0]} names none of the models of the records: {', '.join(models) or 'there are none'}",
            code="unknown-price",
        )
    rows = scored_by_agreement(file.rows) if by_agreement else file.rows
    if unit is None:
        unit = unpriced if unpriced_models(rows, Prices(prices)) else "usd"
    outcomes, left_out = outcomes_of(rows, prices=prices, unit=unit)
    return Source(outcomes=outcomes, left_out=left_out, records=file)
