"""Options that name the models of a cascade, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from automix_graph.cli.option_groups import Command, add_options
from automix_graph.cli.options import large_option, small_option

if TYPE_CHECKING:
    from automix_graph.graph import ModelTier

_OPTIONS: Final = (
    small_option,
    large_option,
    click.option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="MODEL",
        help="Model of a cascade of more than two, in place of --small and --large. Repeat, cheapest first.",
    ),
    click.option(
        "--verifier",
        "verifiers",
        multiple=True,
        metavar="MODEL",
        help="Model that judges the answers, or 'small' or 'large'. Repeat with --tier, once for each tier but the"
        " last, to give each a judge of its own. Default: the large model. Other ways to judge are given in Python.",
    ),
)


def model_options(command: Command) -> Command:
    """Add ``--small``, ``--large``, ``--tier`` and ``--verifier`` to a command; `cascade` returns what they name."""
    return add_options(command, _OPTIONS)


def cascade(*, small: str, large: str, tiers: Sequence[str], verifiers: Sequence[str]) -> list[ModelTier]:
    """Return the tiers that the options name, cheapest first.

    Raises:
        click.UsageError: they contradict each other.
    """
    from automix_graph.graph import ModelTier

    if tiers:
        _refuse_both()
        if len(tiers) < 2:
            raise click.UsageError(f"--tier is given once ({tiers[0]}); give it for two or more models, cheapest first")
    models = tuple(tiers) or (small, large)
    judged = len(models) - 1
    if len(verifiers) not in (0, 1, judged):
        raise click.UsageError(
            f"--verifier is given {len(verifiers)} times; give it once for all, or {judged} times: for each tier but "
            "the last"
        )
    judges: tuple[str | None, ...] = tuple(verifiers)
    if len(judges) <= 1:
        judges = (judges or (None,)) * judged
    return [ModelTier(model=model, verifier=judge) for model, judge in zip(models, (*judges, None), strict=True)]


def _refuse_both() -> None:
    context = click.get_current_context()
    for name in ("small", "large"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--tier and --{name} are given; --tier names all models, cheapest first")
