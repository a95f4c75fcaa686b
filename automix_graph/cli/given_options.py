"""Options whose values do not clutter the signature of a command: they are kept with its context, to be asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

_GIVEN: Final = "automix_graph.cli.given_options"


def kept_option(*declared: str, **settings: Any) -> Callable[[Any], Any]:
    r"""Return an option like `click.option`, whose value `given` returns; the command is not called with it.

    Example:
        >>> @click.command()
        ... @kept_option("--colour", default="red")
        ... def paint() -> None: click.echo(given("colour"))
        >>> from click.testing import CliRunner
        >>> CliRunner().invoke(paint, ["--colour", "blue"]).output
        'blue\n'
    """
    return click.option(*declared, expose_value=False, callback=_keep, **settings)


def given(name: str) -> Any:
    """Return the value of an option of the running command.

    Args:
        name: of the option, as a parameter would be named.
    """
    return click.get_current_context().meta[_GIVEN][name]


def _keep(context: click.Context, option: click.Parameter, value: Any) -> Any:
    context.meta.setdefault(_GIVEN, {})[option.name] = value
    return value
