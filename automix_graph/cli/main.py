"""The ``automix`` command: its subcommands, loaded when they are asked for, and how errors are shown."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Final

import click

from automix_graph.cli.options import INTERRUPTED
from automix_graph.errors import AutomixError

_COMMANDS: Final = {
    "ask": "automix_graph.cli.ask",
    "batch": "automix_graph.cli.batch",
    "calibrate": "automix_graph.cli.calibrate",
    "demo": "automix_graph.cli.demo",
    "evaluate": "automix_graph.cli.evaluate",
    "index": "automix_graph.cli.index",
    "models": "automix_graph.cli.models",
    "plan": "automix_graph.cli.plan",
    "record": "automix_graph.cli.record",
    "serve": "automix_graph.cli.serve",
}
"""Modules by subcommand; each holds a command of the same name."""


class _LazyGroup(click.Group):
    """Imports a subcommand when it is used or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("automix-graph"), prog_name="automix")
def automix() -> None:
    """Answer questions over documents with a small and a large model.

    The small model answers, a judge that sees the same documents checks the answer, and the large model is asked only
    where it helps. Start with: automix demo
    """


def main() -> None:
    """Run the command; errors are one line on stderr and a status other than 0."""
    # pypdf tells of broken files on its own; the report of an index run does so too.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    try:
        status = automix.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except AutomixError as error:
        click.echo(f"Error: {error}", err=True)
        status = 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    sys.exit(status)
