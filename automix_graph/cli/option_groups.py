"""Options that commands get together, by one decorator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])


def add_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    """Return a command with options, which its help lists in this order.

    Args:
        command: a function that is to be a command.
        options: made by `click.option`.

    Example:
        >>> import click
        >>> @click.command()
        ... @lambda command: add_options(command, [click.option("--first"), click.option("--second")])
        ... def shown(first: str, second: str) -> None: ...
        >>> [option.name for option in shown.params]
        ['first', 'second']
    """
    for option in reversed(options):
        command = option(command)
    return command
