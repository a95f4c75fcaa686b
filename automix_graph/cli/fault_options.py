"""Options that say what is done when a model or the retriever fails, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from automix_graph.cli.given_options import given, kept_option
from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.graph.draft import OnLargeFailure
    from automix_graph.graph.retrieve import OnRetrieverFailure
    from automix_graph.models.retrying import Retries

_RETRIES: Final = (
    kept_option(
        "--retries",
        type=click.IntRange(min=0, max=99),
        metavar="N",
        help="How often a model call that failed for a reason that may pass is made again; 0 for never.  [default: 2]",
    ),
    kept_option(
        "--retry-seconds",
        type=click.FloatRange(min=0),
        metavar="S",
        help="No call is made again once so many seconds have passed since it was first made.  [default: 120]",
    ),
)
_FAILURES: Final = (
    *_RETRIES,
    kept_option(
        "--on-large-failure",
        type=click.Choice(["degrade", "raise"]),
        default="degrade",
        show_default=True,
        help="Where the last model fails: the best rejected answer, marked as degraded, or an error.",
    ),
    kept_option(
        "--on-retriever-failure",
        type=click.Choice(["raise", "answer"]),
        default="raise",
        show_default=True,
        help="Where no passages can be fetched: an error, or an answer of the last model without them, marked as "
        "degraded.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is done when something fails.

    Attributes:
        retries: what is done about models that fail for a reason that may pass; None: the default.
        on_large_failure: of the last model.
        on_retriever_failure: of the retriever.
    """

    retries: Retries | None
    on_large_failure: OnLargeFailure
    on_retriever_failure: OnRetrieverFailure

    @property
    def settings(self) -> dict[str, str]:
        """What changes the rows of a batch, as JSON values: nothing of what is usual."""
        usual = {"on_large_failure": "degrade", "on_retriever_failure": "raise"}
        return {name: choice for name in usual if (choice := getattr(self, name)) != usual[name]}


def retry_options(command: Command) -> Command:
    """Add ``--retries`` and ``--retry-seconds`` to a command; see `given_retries`."""
    return add_options(command, _RETRIES)


def fault_options(command: Command) -> Command:
    """Add the options of `retry_options`, ``--on-large-failure`` and ``--on-retriever-failure``; see `given_faults`."""
    return add_options(command, _FAILURES)


def given_retries() -> Retries | None:
    """Return what the running command was told of retries; None where it was told nothing."""
    from automix_graph.models.retrying import Retries

    again, seconds = given("retries"), given("retry_seconds")
    if again is seconds is None:
        return None
    usual = Retries()
    return Retries(
        attempts=usual.attempts if again is None else again + 1, seconds=usual.seconds if seconds is None else seconds
    )


def given_faults() -> Faults:
    """Return what the running command was told of failures."""
    return Faults(
        retries=given_retries(),
        on_large_failure=given("on_large_failure"),
        on_retriever_failure=given("on_retriever_failure"),
    )
