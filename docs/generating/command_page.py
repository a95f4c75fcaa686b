"""The page of the command line, made from what every command says of itself with ``--help``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from automix_graph.cli.main import automix

_INTRODUCTION = """\
# Command line

Made from the help of the commands. Every command has `--help`; those that a program may read have `--json`. An option
wins over an environment variable, and that over the default. Errors are one line on stderr and an exit status other
than 0.
"""


def command_page() -> str:
    """Return the Markdown of the page: a section for each command, with its usage, text and options."""
    root = click.Context(automix, info_name="automix")
    sections = [_section(context) for context in commands(root)]
    return "\n".join([_INTRODUCTION, *sections])


def commands(context: click.Context) -> Iterator[click.Context]:
    """Yield the contexts of all commands below one, groups before what is in them."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            inner = click.Context(command, info_name=name, parent=context)
            yield inner
            yield from commands(inner)


def _section(context: click.Context) -> str:
    path = context.command_path
    usage = " ".join([path, *context.command.collect_usage_pieces(context)])
    options = [_option(path, record) for record in _records(context)]
    return "\n".join([f"## {path}", "", "```text", usage, "```", "", _text(context.command.help or ""), "", *options])


def _records(context: click.Context) -> list[tuple[str, str]]:
    options = [option for option in context.command.get_params(context) if isinstance(option, click.Option)]
    return [record for option in options if (record := option.get_help_record(context)) is not None]


def _option(path: str, record: tuple[str, str]) -> str:
    names, what = record
    anchor = f"{path} {re.findall(r'--[a-z][a-z-]*', names)[0]}".replace(" ", "-")
    return f'<a id="{anchor}"></a>`{names}`\n:   {_plain(what)}\n'


def _plain(text: str) -> str:
    """Return text of a help page with everything that Markdown would read as markup made harmless."""
    return re.sub(r"([*_<>\[\]`#])", r"\\\1", " ".join(text.split()))


def _text(help_text: str) -> str:
    r"""Return a command's text: paragraphs flow, and those that ``\b`` keeps as they are become blocks."""
    shown = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(help_text)):
        kept = paragraph.startswith("\b\n")
        shown.append(f"```text\n{paragraph[2:]}\n```" if kept else _plain(paragraph))
    return "\n\n".join(shown)
