"""Graphs with a cache of answers over models that count what they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scene import DRAFT, LARGE

from automix_graph.graph import create_automix
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever

PRICES = {"s": (1.0, 1.0), "j": (1.0, 1.0), "l": (10.0, 10.0)}
ways = pytest.mark.parametrize("sync", [True, False])


def reply(text: str) -> ScriptedReply:
    """Return a reply of 110 tokens."""
    return ScriptedReply(text=text, usage=(100, 10))


class Models:
    """Three models that count what they are asked."""

    def __init__(self, *, judged: str = "Correct", small: str = DRAFT, large: Any = None) -> None:
        self.small = FunctionChatModel(lambda _: reply(small), label="s")
        self.judge = FunctionChatModel(lambda _: reply(judged), label="j")
        self.large = FunctionChatModel(large or (lambda _: reply(LARGE)), label="l")

    @property
    def asked(self) -> tuple[int, int, int]:
        """How often each was asked: small, judge, large."""
        return len(self.small.prompts), len(self.judge.prompts), len(self.large.prompts)

    def graph(self, cache: Any, **arguments: Any) -> Any:
        return create_automix(
            **{
                "small": self.small,
                "verifier": self.judge,
                "large": self.large,
                "retriever": StaticRetriever(["A passage."]),
                "prices": PRICES,
                "cache": cache,
                **arguments,
            }
        )


async def ask(graph: Any, sync: bool = True, question: str = "What is it?", **settings: Any) -> dict[str, Any]:
    """Ask a graph by one of its two doors."""
    asked = {"question": question}
    result: dict[str, Any] = graph.invoke(asked, **settings) if sync else await graph.ainvoke(asked, **settings)
    return result


def outcome(result: dict[str, Any]) -> tuple[Any, ...]:
    """Return what does not depend on the time."""
    return tuple(result[key] for key in ("answer", "route", "verdict", "confidence", "degraded"))


def failing_once(text: str, failure: Any) -> Callable[[str], Any]:
    """Return a function that fails at first, and says the text from then on."""
    said = [failure]
    return lambda _: said.pop() if said else reply(text)
