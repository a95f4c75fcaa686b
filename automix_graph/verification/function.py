"""Any function or LangChain Runnable as a verifier: it is given the case as plain values and returns a score.

What it returns is checked, never mended: a score that is none is an error, and in the graph the question then goes to
the large model. Model calls inside it are charged where they go through LangChain; others cannot be seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import ensure_config, merge_configs

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import shown_context
from automix_graph.records import Call
from automix_graph.verification.asking import UnusableScoreError, failure_of
from automix_graph.verification.bounds import check_threshold
from automix_graph.verification.collector import CallCollector
from automix_graph.verification.score import read_score
from automix_graph.verification.verifier import Case, Judgement, Verifier

_ALLOWED: Final = "give a function of one dict that returns a score, or a LangChain Runnable that does"


@dataclass(frozen=True, kw_only=True)
class FunctionVerifier:
    """Take the confidence from a function.

    The function gets a dict: ``question``, ``context`` (the passages as a prompt shows them), ``passages`` (their
    texts), ``answer`` and ``language``. It returns a number in [0, 1], a boolean, a mapping with ``confidence`` and
    optionally ``verdict`` (``"CORRECT"`` or ``"INCORRECT"``), or a `Verification`. A coroutine function works where the
    graph runs asynchronously. An exception is a failed verification.

    Attributes:
        function: the function or Runnable.
        name: under which its verifications are recorded; None takes the function's own.
        threshold: the confidence in [0, 1] above which the verdict is CORRECT, where the function gives none.

    Raises:
        ConfigurationError: it is neither a function nor a Runnable, it is a language model, or the threshold lies
            outside [0, 1].

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> def quoted(case):
        ...     return case["answer"] in case["context"]
        >>> verifier = FunctionVerifier(function=quoted)
        >>> passages = (Passage(text="It was in May."),)
        >>> case = Case(question="When?", passages=passages, answer="in May", prompts=load_prompts("en"))
        >>> found = verifier.verify(case).verification
        >>> found.method, found.verdict.value
        ('quoted', 'CORRECT')
    """

    function: Callable[[dict[str, Any]], Any] | Runnable[dict[str, Any], Any]
    name: str | None = None
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if self.name is not None and not (isinstance(self.name, str) and self.name):
            raise ConfigurationError(
                f"name is {self.name!r}; give a text that is not empty, or None", code="bad-verifier"
            )
        if not _can_score(self.function):
            raise ConfigurationError(f"function is {self.function!r}; {_ALLOWED}", code="bad-verifier")

    @property
    def method(self) -> str:
        """The name."""
        return self.name or _own_name(self.function)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer.

        Raises:
            ConfigurationError: the function returned something else than a score.
            NotImplementedError: the function is a coroutine function.
        """
        runnable = self._runnable
        if isinstance(runnable, RunnableLambda) and not hasattr(runnable, "func"):
            # Not recorded as a failure: every question of a synchronous graph would go to the large model.
            raise NotImplementedError(f"verifier {self.method!r} is a coroutine function; run the graph with ainvoke")
        collector = CallCollector(stage="verify")
        try:
            returned = runnable.invoke(_values(case), _collecting(config, collector))
        except Exception as error:
            return failure_of(self.method, error, calls=collector.calls)
        return self._judge(returned, collector.calls)

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer, asynchronously; a function that is none runs in a thread.

        Raises:
            ConfigurationError: the function returned something else than a score.
        """
        collector = CallCollector(stage="verify")
        try:
            returned = await self._runnable.ainvoke(_values(case), _collecting(config, collector))
        except Exception as error:
            return failure_of(self.method, error, calls=collector.calls)
        return self._judge(returned, collector.calls)

    @cached_property
    def _runnable(self) -> Runnable[dict[str, Any], Any]:
        if isinstance(self.function, Runnable):
            return self.function
        return RunnableLambda(self.function, name=self.method)

    def _judge(self, returned: object, calls: tuple[Call, ...]) -> Judgement:
        if inspect.iscoroutine(returned):
            returned.close()  # never to be awaited; the complaint about its type is below
        try:
            verification = read_score(returned, method=self.method, threshold=self.threshold)
        except ConfigurationError as error:
            raise UnusableScoreError(str(error), calls=calls) from error
        return Judgement(verification=verification, calls=calls)


def as_verifier(candidate: object) -> Verifier | None:
    """Return what can verify as a verifier; None where it cannot.

    A `Verifier` is returned as it is; a function, an object that can be called and a Runnable become a
    `FunctionVerifier`. A class cannot verify, nor can a language model: what it writes is no score.

    Example:
        >>> as_verifier(lambda case: 0.5).method
        'function'
        >>> as_verifier("local:judge") is None
        True
    """
    if isinstance(candidate, Verifier) and not isinstance(candidate, type):
        return candidate
    return FunctionVerifier(function=candidate) if _can_score(candidate) else None  # type: ignore[arg-type]  # checked


def _can_score(candidate: object) -> bool:
    if isinstance(candidate, type):
        return False
    inner = candidate
    while isinstance(inner, RunnableBindingBase | RunnableWithFallbacks):
        inner = inner.bound if isinstance(inner, RunnableBindingBase) else inner.runnable
    return not isinstance(inner, BaseLanguageModel) and (isinstance(candidate, Runnable) or callable(candidate))


def _own_name(function: object) -> str:
    name = function.get_name() if isinstance(function, Runnable) else getattr(function, "__name__", None)
    if not isinstance(name, str) or not name:
        return type(function).__name__
    return "function" if name == "<lambda>" else name


def _values(case: Case) -> dict[str, Any]:
    return {
        "question": case.question,
        "context": shown_context(case.passages),
        "passages": [passage.text for passage in case.passages],
        "answer": case.answer,
        "language": case.prompts.language,
    }


def _collecting(config: RunnableConfig | None, collector: CallCollector) -> RunnableConfig:
    # Of the context where none is given: a config with callbacks of its own would put those of the context aside.
    return merge_configs(ensure_config(config), {"callbacks": [collector]})
