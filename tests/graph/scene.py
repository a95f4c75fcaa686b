"""A graph over scripted models, and what the tests of the graph say to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from automix_graph.graph import build_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import ScriptedChatModel, StaticRetriever

DRAFT = "the DRAFT answer"
LARGE = "the LARGE answer"
PASSAGES = ["First passage.", "Second passage."]
QUESTION = {"question": "What is it?"}
DOWN = ConnectionError("provider down")
THREAD: Any = {"configurable": {"thread_id": "1"}}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A graph over scripted models, and the models."""

    graph: CompiledGraph
    small: ScriptedChatModel
    judge: ScriptedChatModel
    large: ScriptedChatModel


MakeScene = Callable[..., Scene]


def durable(checkpointer: Any) -> Any:
    """Return a graph on threads, of which the large model fails the first question once.

    The second answer is accepted. No reply is left for asking again what was answered.
    """
    return build_automix(
        small=ScriptedChatModel([DRAFT, "second"], label="s"),
        large=ScriptedChatModel(["Incorrect", ConnectionError("down"), LARGE, "Correct"], label="l"),
        retriever=StaticRetriever(["text"]),
        on_large_failure="raise",
    ).compile(checkpointer=checkpointer)
