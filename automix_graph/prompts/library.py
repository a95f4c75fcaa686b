"""The prompts of one language, read from its folder of text files.

A language is a folder: ``answer_system.txt``, ``answer_user.txt``, ``verify.txt`` and ``decision.json``. This module
knows no model; it turns values into text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from automix_graph.errors import ConfigurationError
from automix_graph.prompts.quoting import as_data, numbered
from automix_graph.prompts.template import Template
from automix_graph.records import Passage

LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, kw_only=True)
class DecisionWords:
    """How a decision is worded.

    Attributes:
        opening: what stands before the deciding word.
        correct: words with which a decision to accept goes on; the first is the one that the prompt uses.
        incorrect: words with which a decision to reject goes on; the first is the one that the prompt uses.
    """

    opening: str
    correct: tuple[str, ...]
    incorrect: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The prompts of one language.

    Attributes:
        language: the folder's name, e.g. ``"en"``.
        system: what the answering model is told first.
        answer: context and question, for the answering model.
        verify: worked examples, then context, question and answer, for the verifier.
        decision: how the verifier's decision is worded.
    """

    language: str
    system: str
    answer: Template
    verify: Template
    decision: DecisionWords

    def render_answer(self, question: str, passages: Sequence[Passage]) -> str:
        """Return the user message that asks for an answer."""
        return self.answer.render(context=_context(passages), question=as_data(question))

    def render_verify(self, question: str, passages: Sequence[Passage], answer: str) -> str:
        """Return the user message that asks for a verdict on an answer to the question from the passages."""
        return self.verify.render(context=_context(passages), question=as_data(question), answer=as_data(answer))

    @property
    def fingerprint(self) -> str:
        """Sha256 over all texts, in hexadecimal; equal exactly if the prompts are equal."""
        parts = (self.system, self.answer.text, self.verify.text, repr(self.decision))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def load_prompts(language: str) -> Prompts:
    """Read the prompts of a language.

    Raises:
        ConfigurationError: there is no such language.
    """
    if language not in LANGUAGES:
        raise ConfigurationError(f"language {language!r} is unknown; use one of {', '.join(LANGUAGES)}, or 'auto'")
    folder = resources.files("automix_graph.prompts") / language

    def text(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8").removesuffix("\n")

    words = json.loads(text("decision.json"))
    return Prompts(
        language=language,
        system=text("answer_system.txt"),
        answer=Template(
            name="answer_user.txt", text=text("answer_user.txt"), placeholders=frozenset({"context", "question"})
        ),
        verify=Template(
            name="verify.txt", text=text("verify.txt"), placeholders=frozenset({"context", "question", "answer"})
        ),
        decision=DecisionWords(
            opening=words["opening"], correct=tuple(words["correct"]), incorrect=tuple(words["incorrect"])
        ),
    )


def _context(passages: Sequence[Passage]) -> str:
    return numbered(passage.text for passage in passages)
