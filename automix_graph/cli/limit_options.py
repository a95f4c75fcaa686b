"""Options that limit what one question may cost, in money, calls and time, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from automix_graph.cli.given_options import given, kept_option
from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.costs import Limits

_OPTIONS: Final = (
    kept_option(
        "--limit-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="USD",
        help="Ceiling on the cost of a question, checked before each model call with the worst case of that call.",
    ),
    kept_option(
        "--limit-calls", type=click.IntRange(min=1), metavar="N", help="Ceiling on the model calls of a question."
    ),
    kept_option(
        "--limit-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="Ceiling on the time of a question. Beyond a ceiling, the best answer so far counts, marked as degraded.",
    ),
    kept_option(
        "--limit-node-seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="Ceiling on the time of each step: retrieving, an answer, a verification. Beyond it, the question goes on "
        "as if that step had failed.",
    ),
)


def limit_options(command: Command) -> Command:
    """Add ``--limit-cost``, ``-calls``, ``-seconds`` and ``-node-seconds`` to a command; see `given_limits`."""
    return add_options(command, _OPTIONS)


def given_limits() -> Limits | None:
    """Return the limits that the running command was told; None where it was told none."""
    from automix_graph.costs import Limits

    cost, calls = given("limit_cost"), given("limit_calls")
    seconds, node_seconds = given("limit_seconds"), given("limit_node_seconds")
    if cost is calls is seconds is node_seconds is None:
        return None
    return Limits(max_cost=cost, max_calls=calls, max_seconds=seconds, max_node_seconds=node_seconds)
