"""Which prompts a question gets: those of one language, or those of the language it is asked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from automix_graph.prompts.language import detect_language
from automix_graph.prompts.library import DEFAULT_LAYOUT, Prompts, load_prompts
from automix_graph.prompts.words import Layout


@dataclass(frozen=True, kw_only=True)
class PromptChoice:
    """The prompts that a graph may use.

    Attributes:
        by_language: the prompts of each language; with more than one, the question decides.

    Example:
        >>> PromptChoice.of("auto").of_question("谁写的？").language
        'zh'
    """

    by_language: Mapping[str, Prompts]

    @classmethod
    def of(cls, language: str | Path | Prompts, layout: Layout | None = None) -> Self:
        """Return the choice that an argument asks for.

        Args:
            language: ``"auto"``, a built-in language, a folder of prompts, or prompts that were loaded before.
            layout: of the prompts; None is the default one, and for prompts that were loaded before their own.

        Raises:
            ConfigurationError: there are no such prompts, or no such layout.
        """
        loaded: tuple[Prompts, ...]
        if isinstance(language, Prompts):
            loaded = (language if layout is None else language.in_layout(layout),)
        else:
            names = ("en", "zh") if language == "auto" else (language,)
            loaded = tuple(load_prompts(name, DEFAULT_LAYOUT if layout is None else layout) for name in names)
        return cls(by_language={prompts.language: prompts for prompts in loaded})

    def in_layout(self, layout: Layout) -> Self:
        """Return the same choice with every prompt in another layout."""
        return type(self)(by_language={name: prompts.in_layout(layout) for name, prompts in self.by_language.items()})

    def of_question(self, question: str) -> Prompts:
        """Return the prompts for a question."""
        first, *others = self.by_language.values()
        return self.by_language[detect_language(question)] if others else first

    def named(self, language: str) -> Prompts:
        """Return the prompts of one of the languages."""
        return self.by_language[language]
