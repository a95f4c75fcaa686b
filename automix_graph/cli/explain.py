"""``automix explain``: what lies behind the code of an error, and what to do. It knows the texts, not the errors."""

from __future__ import annotations

import re
import shutil
import textwrap
from difflib import get_close_matches
from importlib.resources import files
from typing import Final, get_args

import click

from automix_graph.errors import Code

CODES: Final[tuple[Code, ...]] = get_args(Code)
_HEADING: Final = re.compile(r"^## (\S+)\n", re.MULTILINE)
_CODE_WIDTH: Final = max(map(len, CODES)) + 2
_NARROWEST: Final = _CODE_WIDTH + 30
"""Columns; with fewer, a sentence would be a word a line."""


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
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what is behind the code of an error, and what to do.

    Without a CODE, list all of them.
    """
    if code is None:
        for each, told in explanations().items():
            click.echo(_listed(each, told))
    else:
        click.echo(explanations()[_known(code)])


def _known(given: str) -> str:
    code = given.strip().lower()
    if code in CODES:
        return code
    near = [each for each in sorted(CODES) if code and code in each] or get_close_matches(code, CODES, cutoff=0.5)
    told = f"the nearest: {', '.join(near)}; all of them: automix explain" if near else "see: automix explain"
    raise click.BadParameter(f"there is no code {given!r}; {told}", param_hint="CODE")


def _listed(code: str, told: str) -> str:
    """Return a code and the first sentence of its explanation, in as many lines as the terminal makes of it."""
    return textwrap.fill(
        _first_sentence(told),
        max(shutil.get_terminal_size().columns, _NARROWEST),
        initial_indent=f"{code:{_CODE_WIDTH}}",
        subsequent_indent=" " * _CODE_WIDTH,
    )


def _first_sentence(text: str) -> str:
    return re.split(r"[.:] ", " ".join(text.split()), maxsplit=1)[0].removesuffix(".") + "."
