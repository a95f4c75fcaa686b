"""``automix explain``: what lies behind the code of an error, and what to do. It knows the texts, not the errors."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final, get_args

import click

from automix_graph.errors import Code

CODES: Final[tuple[Code, ...]] = get_args(Code)
_HEADING: Final = re.compile(r"^## (\S+)\n", re.MULTILINE)


def explanations() -> dict[str, str]:
    """Return the explanation of each code, in Markdown.

    Example:
        >>> explanations()["missing-extra"].splitlines()[0]
        'An optional package is not installed. The message is the command that installs it.'
    """
    text = files("automix_graph.cli").joinpath("explanations.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(text)
    return {code: told.strip() for code, told in zip(parts[::2], parts[1::2], strict=True)}


@click.command()
@click.argument("code", required=False, type=click.Choice(CODES), metavar="[CODE]")
def explain(code: Code | None) -> None:
    """Say what is behind the code of an error, and what to do.

    Without a CODE, list all of them.
    """
    if code is None:
        for each, told in explanations().items():
            click.echo(f"{each:26} {_first_sentence(told)}")
    else:
        click.echo(explanations()[code])


def _first_sentence(text: str) -> str:
    return re.split(r"[.:] ", " ".join(text.split()), maxsplit=1)[0].removesuffix(".") + "."
