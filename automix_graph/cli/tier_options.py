"""Options that say which columns of a table belong to which tier, shared by the commands that read such tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="NAME:QUALITY:COST[:CONFIDENCE]",
        help="A tier; repeat, cheapest first. QUALITY and CONFIDENCE are columns, COST is a number or a column. The "
        "last tier has no CONFIDENCE.",
    ),
    click.option("--small", metavar="COLUMN", help="For two tiers: quality of the small model."),
    click.option("--large", metavar="COLUMN", help="For two tiers: quality of the large model."),
    click.option("--confidence", metavar="COLUMN", help="For two tiers: confidence that the small answer is right."),
    click.option("--cost-small", metavar="COST", help="For two tiers: of a small answer, a number or a column."),
    click.option("--cost-large", metavar="COST", help="For two tiers: of a large answer, a number or a column."),
    click.option(
        "--verify-cost",
        metavar="COST",
        default="0",
        show_default=True,
        help="Of one verification, a number or a column.",
    ),
)


def tier_options(command: Command) -> Command:
    """Add ``--tier`` and its shorthand for two tiers to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
