"""Worked examples for prompts: what a good verdict looks like, from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from automix_graph.errors import ConfigurationError
from automix_graph.prompts.files import read_text
from automix_graph.prompts.invalid import problems_of


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text


Text = Annotated[str, AfterValidator(_not_empty)]


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
    return read_examples(read_text(path, what="the file of worked examples"), source=path.name)


def read_examples(text: str, *, source: str) -> tuple[Example, ...]:
    """Read worked examples from a text, see `load_examples`; the source is named in errors."""
    rows = _rows(text, source)
    if not rows:
        raise ConfigurationError(f"{source} holds no worked example; give at least one", code="bad-prompts")
    return tuple(_example(row, number, source) for number, row in enumerate(rows, start=1))


def _example(row: object, number: int, source: str) -> Example:
    try:
        return Example.model_validate(row)
    except ValidationError as error:
        fields = ", ".join(Example.model_fields)
        raise ConfigurationError(
            f"worked example {number} in {source} has not exactly {fields}: {problems_of(error)}", code="bad-prompts"
        ) from error


def _rows(text: str, source: str) -> list[Any]:
    if text.lstrip().startswith("["):
        return list(_json(text, source))
    # Not splitlines(): a text in JSON may hold other line separators as they are.
    lines = enumerate(text.split("\n"), start=1)
    return [_json(line, f"line {number} of {source}") for number, line in lines if line.strip()]


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{source} is no JSON: {error}; give a JSON list, or JSONL with one example a line", code="bad-prompts"
        ) from error
