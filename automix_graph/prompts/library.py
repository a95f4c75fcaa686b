"""The prompts of one language in one layout, read from a folder of text files.

A language is a folder: ``words.json`` says how decisions are worded, ``examples.json`` holds the worked examples, and a
folder for each layout holds its templates. This module knows no model; it turns values into the turns of a chat.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Self, get_args

from pydantic import ValidationError

from automix_graph.errors import ConfigurationError
from automix_graph.prompts.examples import Example, read_examples
from automix_graph.prompts.files import read_text
from automix_graph.prompts.invalid import problems_of
from automix_graph.prompts.quoting import as_data, numbered
from automix_graph.prompts.template import VERIFY_PLACEHOLDERS, Template
from automix_graph.prompts.turns import Turn
from automix_graph.prompts.words import DecisionWords, Form, Layout
from automix_graph.records import Passage

DEFAULT_LAYOUT: Final[Layout] = "shared"
"""Of prompts that are loaded without naming one."""

_LAID_OUT: Final = "prompts, laid out like automix_graph/prompts/en"
_BUILT_IN: Final = resources.files("automix_graph.prompts")
_FILES: Final[dict[Layout, dict[str, frozenset[str]]]] = {
    "document": {
        "system": frozenset(),
        "answer": frozenset({"context", "question"}),
        "verify": VERIFY_PLACEHOLDERS | {"examples", "ending"},
        "example": frozenset({"context", "question", "generated_answer", "evaluation", "decision"}),
    },
    "shared": {
        "system": frozenset({"examples"}),
        "case": frozenset({"context", "question"}),
        "answer": frozenset(),
        "verify": frozenset({"generated_answer", "ending"}),
        "example": frozenset({"context", "question", "answer", "generated_answer", "evaluation", "decision"}),
    },
}
"""The templates of each layout with their placeholders."""


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The prompts of one language in one layout.

    Attributes:
        language: the folder's name, e.g. ``"en"``.
        layout: how the parts are ordered.
        words: how decisions are worded.
        examples: worked examples, shown in this order.
        templates: the texts of all layouts.

    Example:
        >>> system, user = load_prompts("en").answer("Who?", [Passage(text="Ada.")])
        >>> print(user.text)
        Context: Ada.
        <BLANKLINE>
        Question: Who?
        <BLANKLINE>
        Task: Answer the question.
        <BLANKLINE>
        Answer:
    """

    language: str
    layout: Layout
    words: DecisionWords
    examples: tuple[Example, ...]
    templates: tuple[Template, ...]

    def answer(self, question: str, passages: Sequence[Passage]) -> tuple[Turn, ...]:
        """Return the chat that asks for an answer."""
        case = {"context": shown_context(passages), "question": as_data(question)}
        if self.layout == "document":
            return Turn.system(self._template("system").render()), Turn.user(self._template("answer").render(**case))
        return self._shared(case, self._template("answer").render())

    def verify(
        self, question: str, passages: Sequence[Passage], generated_answer: str, *, form: Form = "short"
    ) -> tuple[Turn, ...]:
        """Return the chat that asks for a verdict on an answer to the question from the passages.

        Args:
            question: as it was asked.
            passages: what the answering model saw, in that order.
            generated_answer: the answer to be judged.
            form: of the verdict that is asked for.
        """
        return self._verify(shown_context(passages), as_data(question), as_data(generated_answer), form)

    def verify_format(self, *, form: Form = "short") -> tuple[Turn, ...]:
        """Return the chat that asks for a verdict as `str.format` templates of ``{context}``, ``{question}`` and more.

        The third is ``{generated_answer}``; braces that stand for themselves are doubled.
        """
        marks = {f"\0{name}\0": f"{{{name}}}" for name in ("context", "question", "generated_answer")}
        context, question, generated_answer = marks
        turns = []
        for turn in self._verify(context, question, generated_answer, form):
            text = turn.text.replace("{", "{{").replace("}", "}}")
            for mark, placeholder in marks.items():
                text = text.replace(mark, placeholder)
            turns.append(Turn(turn.role, text))
        return tuple(turns)

    def in_layout(self, layout: Layout) -> Self:
        """Return the same prompts in another layout.

        Raises:
            ConfigurationError: there is no such layout.
        """
        if layout not in get_args(Layout):
            raise ConfigurationError(f"layout {layout!r} is unknown; use one of {', '.join(get_args(Layout))}")
        return dataclasses.replace(self, layout=layout)

    def with_examples(self, examples: Sequence[Example]) -> Self:
        """Return the prompts with other worked examples, see `load_examples`.

        Raises:
            ConfigurationError: there is none, or one is no `Example`.
        """
        if not examples:
            raise ConfigurationError(
                "a verifier's prompt needs at least one worked example; none was given", code="bad-prompts"
            )
        for example in examples:
            if not isinstance(example, Example):
                raise ConfigurationError(
                    f"a worked example is a {type(example).__name__}; give Example(...) values, or load_examples(path)",
                    code="bad-prompts",
                )
        return dataclasses.replace(self, examples=tuple(examples))

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over all texts and the layout, in hexadecimal; equal exactly if the prompts are equal."""
        parts = [
            self.layout,
            repr(self.words),
            *map(repr, self.examples),
            *(template.text for template in self.templates),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _verify(self, context: str, question: str, generated_answer: str, form: Form) -> tuple[Turn, ...]:
        case = {"context": context, "question": question}
        judged = {"generated_answer": generated_answer, "ending": self.words.endings[self.layout][form]}
        template = self._template("verify")
        if self.layout == "document":
            return (Turn.user(template.render(examples=self._examples, **case, **judged)),)
        return self._shared(case, template.render(**judged))

    def _template(self, name: str) -> Template:
        return self._by_name[f"{self.layout}/{name}.txt"]

    @cached_property
    def _by_name(self) -> dict[str, Template]:
        return {template.name: template for template in self.templates}

    def _shared(self, case: dict[str, str], task: str) -> tuple[Turn, ...]:
        return Turn.system(self._shared_system), Turn.user(f"{self._template('case').render(**case)}\n\n{task}")

    @cached_property
    def _shared_system(self) -> str:
        return self._template("system").render(examples=self._examples)

    @cached_property
    def _examples(self) -> str:
        template = self._template("example")
        return "\n\n---\n\n".join(
            template.render(**{name: value for name, value in self._values(example) if name in template.placeholders})
            for example in self.examples
        )

    def _values(self, example: Example) -> list[tuple[str, str]]:
        decision = self.words.decisions["correct" if example.correct else "incorrect"]
        texts = [(name, as_data(value)) for name, value in example.texts().items()]
        return [*texts, ("decision", decision)]


def load_prompts(language: str | Path, layout: Layout = DEFAULT_LAYOUT) -> Prompts:
    """Read the prompts of a language.

    Args:
        language: the name of a built-in one, or the folder of another, laid out like the built-in ones.
        layout: how the parts are ordered.

    Raises:
        ConfigurationError: there is no such language or layout, or its folder lacks a file or a placeholder.
    """
    if isinstance(language, Path):
        if not language.is_dir():
            raise ConfigurationError(
                f"language is {language!r}, which is no folder; give a folder with {_LAID_OUT}", code="unknown-language"
            )
        return _read(language.absolute()).in_layout(layout)
    if language not in languages():
        raise ConfigurationError(
            f"language {_shown(language)} is unknown; use one of {', '.join(languages())}, or a folder of prompts as a "
            "pathlib.Path, such as Path('prompts/fr')",
            code="unknown-language",
        )
    return _built_in(language).in_layout(layout)


def _shown(language: object) -> str:
    return repr(language) if isinstance(language, str | None) else f"of type {type(language).__name__}"


@cache
def languages() -> tuple[str, ...]:
    """Return the names of the built-in languages: the folders beside this module that hold ``words.json``."""
    return tuple(sorted(folder.name for folder in _BUILT_IN.iterdir() if (folder / "words.json").is_file()))


@cache
def _built_in(language: str) -> Prompts:
    return _read(_BUILT_IN / language)


def _read(folder: Traversable | Path) -> Prompts:
    try:
        words = DecisionWords.model_validate_json(_text(folder / "words.json"))
    except ValidationError as error:
        raise ConfigurationError(
            f"{folder.name}/words.json cannot be used: {problems_of(error)}", code="bad-prompts"
        ) from error
    return Prompts(
        language=folder.name,
        layout=DEFAULT_LAYOUT,
        words=words,
        examples=read_examples(_text(folder / "examples.json"), source=f"{folder.name}/examples.json"),
        templates=tuple(
            Template(
                name=f"{layout}/{name}.txt", text=_text(folder / layout / f"{name}.txt"), placeholders=placeholders
            )
            for layout, files in _FILES.items()
            for name, placeholders in files.items()
        ),
    )


def _text(file: Traversable | Path) -> str:
    return read_text(file, what=f"the file {file.name!r} of a folder with {_LAID_OUT},").removesuffix("\n")


def shown_context(passages: Sequence[Passage]) -> str:
    """Return passages as a prompt shows them: numbered from 1, or as it is if there is only one."""
    if len(passages) == 1:
        return _quoted(passages[0])
    return numbered(map(_quoted, passages))


def _quoted(passage: Passage) -> str:
    """Return the text of a passage as data, which is remembered with it: all models of a question read the same."""
    text: str | None = vars(passage).get("_quoted")
    if text is None:
        text = vars(passage)["_quoted"] = as_data(passage.text)
    return text
