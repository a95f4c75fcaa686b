"""Worked examples for prompts: what a good verdict looks like, from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from automix_graph.errors import ConfigurationError
from automix_graph.prompts.invalid import problems_of

Text = Annotated[str, Field(min_length=1)]


class Example(BaseModel):
    """One worked example.

    Attributes:
        context: a short document.
        question: about it.
        answer: a good answer, as an answering model should write it.
        generated_answer: the answer that is judged.
        evaluation: the reason for the decision.
        correct: the decision on the generated answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: Text
    question: Text
    answer: Text
    generated_answer: Text
    evaluation: Text
    correct: bool

    def texts(self) -> dict[str, str]:
        """Return the fields that are text, by name."""
        return self.model_dump(exclude={"correct"})


def load_examples(path: str | Path) -> tuple[Example, ...]:
    """Read worked examples from a file: a JSON list, or JSONL with one example a line.

    Raises:
        ConfigurationError: the file cannot be read, or an example lacks a field, has an unknown one or an empty one.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"worked examples cannot be read: {error}") from error
    return read_examples(text, source=path.name)


def read_examples(text: str, *, source: str) -> tuple[Example, ...]:
    """Read worked examples from a text, see `load_examples`; the source is named in errors."""
    try:
        rows = _rows(text)
        if not rows:
            raise ConfigurationError(f"{source} holds no worked example; give at least one")
        return tuple(Example.model_validate(row) for row in rows)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{source} is neither a JSON list nor JSONL: {error}") from error
    except ValidationError as error:
        fields = ", ".join(Example.model_fields)
        raise ConfigurationError(
            f"a worked example in {source} has not exactly {fields}: {problems_of(error)}"
        ) from error


def _rows(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        rows = json.loads(text)
        return rows if isinstance(rows, list) else [rows]
    return [json.loads(line) for line in text.splitlines() if line.strip()]
