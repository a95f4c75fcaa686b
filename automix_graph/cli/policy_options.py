"""Options that name a policy to follow, or policies to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from automix_graph.cli.option_groups import Command, add_options
from automix_graph.policies import AcceptCorrect, Policy, Threshold, load_policy

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_GIVEN: Final = "automix_graph.policies"

policy_option = click.option(
    "--policy",
    type=_FILE,
    metavar="FILE",
    help="Saved policy that decides whether a small answer is kept. Default: it is if the verdict is CORRECT.",
)

unchecked_option = click.option(
    "--unchecked",
    is_flag=True,
    help="Follow the policy even if it was calibrated for other models, prompts or verifiers.",
)


def _gather(policies: list[Policy]) -> None:
    # Click calls back in the order of the command line, so that the first policy given comes first.
    gathered: list[Policy] = click.get_current_context().meta.setdefault(_GIVEN, [])
    gathered.extend(policy for policy in policies if policy not in gathered)


def _load(_context: click.Context, _option: click.Parameter, paths: tuple[Path, ...]) -> None:
    _gather([load_policy(path) for path in dict.fromkeys(paths)])


def _thresholds(_context: click.Context, _option: click.Parameter, values: tuple[float, ...]) -> None:
    _gather([Threshold(value) for value in dict.fromkeys(values)])


_OPTIONS = (
    click.option(
        "--policy",
        callback=_load,
        expose_value=False,
        multiple=True,
        type=_FILE,
        metavar="FILE",
        help="Saved policy to evaluate. Repeat to compare; the first policy given is the headline.",
    ),
    click.option(
        "--threshold",
        callback=_thresholds,
        expose_value=False,
        multiple=True,
        type=click.FloatRange(0.0, 1.0),
        metavar="T",
        help="Policy to evaluate: keep an answer if its confidence is at least T. Repeat to compare. Default, if no "
        "policy is given: keep it if the verdict is CORRECT, which in a table is a confidence above 0.5.",
    ),
)


def policy_options(command: Command) -> Command:
    """Add ``--policy`` and ``--threshold`` to a command; `given_policies` returns what they name."""
    return add_options(command, _OPTIONS)


def given_policies() -> list[Policy]:
    """Return the policies that the running command was given, each once, else the default one."""
    return list(click.get_current_context().meta.get(_GIVEN, [])) or [AcceptCorrect()]
