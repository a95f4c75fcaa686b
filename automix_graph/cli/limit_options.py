"""Options that limit what one question may cost, in money, calls and time, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.costs import Limits

_OPTIONS: Final = (
    click.option(
        "--limit-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="USD",
        help="Ceiling on the cost of a question, checked before each model call with the worst case of that call.",
    ),
    click.option(
        "--limit-calls", type=click.IntRange(min=1), metavar="N", help="Ceiling on the model calls of a question."
    ),
    click.option(
        "--limit-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="Ceiling on the time of a question. Beyond a ceiling, the best answer so far counts, marked as degraded.",
    ),
)


def limit_options(command: Command) -> Command:
    """Add ``--limit-cost``, ``--limit-calls`` and ``--limit-seconds`` to a command; see `limits_of`."""
    return add_options(command, _OPTIONS)


def limits_of(cost: float | None, calls: int | None, seconds: float | None) -> Limits | None:
    """Return the limits that the options name; None where they name none."""
    from automix_graph.costs import Limits

    if cost is None and calls is None and seconds is None:
        return None
    return Limits(max_cost=cost, max_calls=calls, max_seconds=seconds)
