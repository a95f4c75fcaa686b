"""Options that say which columns of a table are whose; shared by the commands that read such tables."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import click

from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.evaluation import TierColumns

_GIVEN: Final = "automix_graph.tiers"


def _gather(context: click.Context, option: click.Parameter, value: Any) -> None:
    context.meta.setdefault(_GIVEN, {})[option.name] = value


_option: Final = functools.partial(click.option, callback=_gather, expose_value=False)
_OPTIONS = (
    _option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="NAME:QUALITY:COST[:CONFIDENCE]",
        help="A tier of a table; repeat, cheapest first. QUALITY and CONFIDENCE are columns, COST is a number or a "
        "column. The last tier has no CONFIDENCE.",
    ),
    _option("--small", metavar="COLUMN", help="For two tiers: quality of the small model."),
    _option("--large", metavar="COLUMN", help="For two tiers: quality of the large model."),
    _option("--confidence", metavar="COLUMN", help="For two tiers: confidence that the small answer is right."),
    _option("--cost-small", metavar="COST", help="For two tiers: of a small answer, a number or a column."),
    _option("--cost-large", metavar="COST", help="For two tiers: of a large answer, a number or a column."),
    _option(
        "--verify-cost",
        metavar="COST",
        help="Of one verification in a table, a number or a column.  [default: 0]",
    ),
)


def tier_options(command: Command) -> Command:
    """Add ``--tier`` and its shorthand for two tiers to a command; `given_tiers` returns what they say."""
    return add_options(command, _OPTIONS)


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


def given_tiers() -> TierOptions:
    """Return what the running command was told of tiers."""
    return TierOptions(**click.get_current_context().meta[_GIVEN])


def _written(name: str) -> str:
    return "--tier" if name == "tiers" else f"--{name.replace('_', '-')}"
