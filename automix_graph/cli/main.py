"""The ``automix`` command: its subcommands, loaded when they are asked for, and how errors are shown."""

from __future__ import annotations

import logging
import shlex
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from automix_graph.cli.options import INTERRUPTED
from automix_graph.errors import AutomixError, StoreError

_SUMMARIES: Final = {
    "ask": "Answer QUESTION from the documents of an index.",
    "audit": "Compare RECORDS of users' questions with a policy's promise.",
    "batch": "Answer the questions of IN, and write a row for each to OUT.",
    "calibrate": "Choose the policy that meets a target on FILE.",
    "demo": "Run the whole path on the embedded models, without a key.",
    "evaluate": "Measure what a cascade is worth on FILE.",
    "explain": "Say what is behind the code of an error, and what to do.",
    "index": "Index the files and folders PATHS for 'automix ask'.",
    "models": "List, fetch, find and keep running the embedded models.",
    "plan": "Say whether a cascade pays, and with which verifier.",
    "record": "Ask every tier and the verifier about each row of DATA.",
    "serve": "Answer questions over HTTP from the documents of an index.",
}
"""First sentences of the help of the subcommands; each is a command of its name in the module of its name."""


class _LazyGroup(click.Group):
    """Imports a subcommand when it is used; to list it, its summary is enough."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUMMARIES:
            return None
        command = getattr(import_module(f"automix_graph.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed = [click.Command(name, help=summary) for name, summary in _SUMMARIES.items()]
        click.Group(commands=listed).format_commands(ctx, formatter)


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
        click.echo(f"Error: {_told(error)} (automix explain {error.code})", err=True)
        status = 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    sys.exit(status)


def _told(error: AutomixError) -> str:
    """Return the message of an error, in words of the command line where the library's own are none."""
    if isinstance(error, StoreError) and error.code == "store-missing" and error.path is not None:
        from automix_graph.retrieval.manifest import MANIFEST

        if not (Path(error.path) / MANIFEST).exists():
            return f"no index in {error.path!r}; make one: automix index PATH --out {shlex.quote(error.path)}"
    return str(error)
