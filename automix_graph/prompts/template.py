"""Prompt templates: text with declared placeholders, filled in one pass.

One pass means that a value is never read as a template: braces in a passage stay braces. This module knows no language
and no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from automix_graph.errors import ConfigurationError
from automix_graph.prompts.files import read_text

VERIFY_PLACEHOLDERS: Final = frozenset({"context", "question", "generated_answer"})
"""What a whole prompt for a verifier must hold."""

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DOUBLED: Final = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}")


@dataclass(frozen=True, kw_only=True)
class Template:
    """A text with ``{placeholder}`` fields.

    Braces around anything but a single name, as in JSON, are text; there is nothing to escape.

    Attributes:
        name: for messages, e.g. a file name.
        text: the template.
        placeholders: the fields that the text must hold, each at least once, and no others.

    Raises:
        ConfigurationError: a placeholder is missing or unknown, or stands in doubled braces.

    Example:
        >>> Template(name="greeting", text="Hello {who}", placeholders=frozenset({"who"})).render(who="{who}")
        'Hello {who}'
    """

    name: str
    text: str
    placeholders: frozenset[str]

    def __post_init__(self) -> None:
        if doubled := _DOUBLED.search(self.text):
            raise ConfigurationError(
                f"template {self.name!r} holds {doubled[0]!r}; write a placeholder in single braces: {{{doubled[1]}}}",
                code="bad-prompts",
            )
        found = set(_PLACEHOLDER.findall(self.text))
        if found != self.placeholders:
            raise ConfigurationError(
                f"template {self.name!r} must hold the placeholders {_listed(self.placeholders)}; "
                f"missing: {_listed(self.placeholders - found)}; unknown: {_listed(found - self.placeholders)}",
                code="bad-prompts",
            )

    def render(self, **values: str) -> str:
        """Return the text with every placeholder replaced by its value, verbatim.

        Raises:
            KeyError: a value is missing.
        """
        return "".join([values[part] if place % 2 else part for place, part in enumerate(self._parts)])

    @cached_property
    def _parts(self) -> list[str]:
        """Text and names of placeholders in turn."""
        return _PLACEHOLDER.split(self.text)


def _listed(names: frozenset[str] | set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"


def load_template(path: str | Path) -> Template:
    """Read a prompt for a verifier from a UTF-8 text file.

    The file holds the whole prompt, examples included, with ``{context}``, ``{question}`` and ``{generated_answer}``
    where the values go, each once or more. Its last line break is dropped.

    Raises:
        ConfigurationError: the file cannot be read, or a placeholder is missing, unknown or in doubled braces.
    """
    path = Path(path)
    text = read_text(path, what="the template")
    return Template(name=path.name, text=text.removesuffix("\n"), placeholders=VERIFY_PLACEHOLDERS)
