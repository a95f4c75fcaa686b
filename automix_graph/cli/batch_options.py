"""Options that say how a batch is run and what its rows hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from automix_graph.cli.option_groups import add_options

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        help="Questions that are worked on at one time, in each actor with --engine ray.  "
        "[default: 1 if all models are local, else 16]",
    ),
    click.option(
        "--order",
        type=click.Choice(["input", "completed"]),
        default="input",
        show_default=True,
        help="Of the rows of OUT; input holds back an answer until all before it are there.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="USD",
        help="Ceiling on what all runs of the job cost together. It stops before it is passed, and the same command "
        "with a higher one goes on. The prices of all models must be known.",
    ),
    click.option(
        "--stop-after-failures",
        type=click.IntRange(min=0),
        default=100,
        show_default=True,
        metavar="N",
        help="End the run when so many questions have failed in a row, as when a provider is down; 0: never. The same "
        "command goes on.",
    ),
    click.option("--keep-failed", is_flag=True, help="Leave rows that failed in an earlier run as they are."),
    click.option("--no-question", is_flag=True, help="Leave the question out of the rows of OUT."),
    click.option("--texts", is_flag=True, help="Give sources with their texts."),
    click.option(
        "--max-question-characters",
        type=click.IntRange(min=1),
        default=20_000,
        show_default=True,
        help="Of a question; rows with a longer one are rejected.",
    ),
    click.option(
        "--rejects",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File for rows that cannot be used; one of an earlier run is replaced.  [default: OUT.rejects.jsonl for "
        "OUT.jsonl]",
    ),
)


def batch_options(command: Command) -> Command:
    """Add the options to a command."""
    return add_options(command, _OPTIONS)
