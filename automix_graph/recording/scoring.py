"""What an answer is worth beside the gold answers, in [0, 1]: scorers by name, a function of the user's, or a judge.

====================  ================================================================================================
``auto``              1 where `automix_graph.evaluation.answers.is_correct` holds: the default
``exact-match``       1 where the words are those of a gold answer (SQuAD; CMRC 2018 for Chinese)
``f1``                the F1 of shared words, or characters (the same benchmarks)
``contains``          1 where the answer holds a gold answer
``numeric``           1 where it holds the numbers of a gold answer (`automix_graph.recording.numbers`)
====================  ================================================================================================
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.answers import contains, exact_match, f1, is_correct
from automix_graph.models.calling import is_failure, kind_of
from automix_graph.prompts import detect_language
from automix_graph.recording.description import describe
from automix_graph.recording.numbers import best_of
from automix_graph.records import Call

ScoreFunction = Callable[[str, str, Sequence[str]], float | Awaitable[float]]
"""From question, answer and gold answers to a score in [0, 1]; a coroutine function works too."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an answer is worth.

    Attributes:
        value: in [0, 1]; None where it could not be told.
        error: why it could not; None where it could.
        calls: model calls that it took.
    """

    value: float | None
    error: str | None = None
    calls: tuple[Call, ...] = ()


@runtime_checkable
class Scorer(Protocol):
    """Scores answers."""

    @property
    def name(self) -> str:
        """Short name, for records."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return what tells it from other scorers, as JSON values without secrets."""
        ...

    async def score(self, question: str, answer: str, golds: Sequence[str]) -> Score:
        """Score an answer; what fails is a `Score` with an error, not an exception."""
        ...


@dataclass(frozen=True, kw_only=True)
class FunctionScorer:
    """Score with a function.

    Attributes:
        name: for records.
        function: of question, answer and gold answers; one that is no coroutine function runs in a thread.

    Example:
        >>> scorer = FunctionScorer(name="length", function=lambda question, answer, golds: len(answer) / 100)
        >>> asyncio.run(scorer.score("When?", "In May", ["May"]))
        Score(value=0.06, error=None, calls=())
    """

    name: str
    function: ScoreFunction

    def settings(self) -> Mapping[str, Any]:
        """Return the name, and what the function is."""
        return {"name": self.name, "function": describe(self.function)}

    async def score(self, question: str, answer: str, golds: Sequence[str]) -> Score:
        """Return what the function returns; an exception and what is no score are errors."""
        try:
            if inspect.iscoroutinefunction(self.function):
                value = await self.function(question, answer, golds)
            else:
                value = await asyncio.to_thread(self.function, question, answer, golds)
        except Exception as error:
            if not is_failure(error):
                raise
            return Score(value=None, error=f"scorer {self.name!r} raised {kind_of(error)}")
        return self._checked(value)

    def _checked(self, value: object) -> Score:
        try:
            number = float(value)  # type: ignore[arg-type]  # what is no number is refused below
        except (TypeError, ValueError):
            return Score(
                value=None,
                error=f"scorer {self.name!r} returned a {type(value).__name__}; it must return a number in [0, 1]",
            )
        if not 0.0 <= number <= 1.0:
            return Score(
                value=None, error=f"scorer {self.name!r} returned {number!r}; it must return a number in [0, 1]"
            )
        return Score(value=number)


@dataclass(frozen=True, kw_only=True)
class _BuiltIn:
    """A rule of this package, in the language of the question."""

    name: str
    rule: Callable[[str, Sequence[str], str], float]

    def settings(self) -> Mapping[str, Any]:
        return {"name": self.name}

    async def score(self, question: str, answer: str, golds: Sequence[str]) -> Score:
        try:
            return Score(value=float(self.rule(answer, golds, detect_language(question))))
        except ValueError as error:
            return Score(value=None, error=f"scorer {self.name!r}: {error}")


def _numeric(answer: str, golds: Sequence[str], language: str) -> float:
    return best_of(answer, golds)


_RULES: Final[Mapping[str, Callable[[str, Sequence[str], str], float]]] = {
    "auto": is_correct,
    "exact-match": exact_match,
    "f1": f1,
    "contains": contains,
    "numeric": _numeric,
}

SCORERS: Final = tuple(_RULES)
"""Names of the scorers that ask no model."""


def scorer_of(scorer: str | Scorer | ScoreFunction) -> Scorer:
    """Return the scorer that a name stands for; a function becomes one.

    Raises:
        ConfigurationError: there is no such scorer.

    Example:
        >>> asyncio.run(scorer_of("numeric").score("How many?", "About 1,200.", ["1200"])).value
        1.0
    """
    if isinstance(scorer, str):
        if scorer in _RULES:
            return _BuiltIn(name=scorer, rule=_RULES[scorer])
        raise ConfigurationError(
            f"scorer {scorer!r} is unknown; use one of {', '.join(SCORERS)}, an LLMJudge, or a function of question, "
            "answer and gold answers"
        )
    if isinstance(scorer, Scorer) and not isinstance(scorer, type):
        return scorer
    if callable(scorer) and not isinstance(scorer, type):
        return FunctionScorer(name=getattr(scorer, "__name__", type(scorer).__name__), function=scorer)
    raise ConfigurationError(f"scorer is {scorer!r}; give a name, an LLMJudge, or a function that returns a score")
