"""One question of a batch to a graph: its result, or why it failed and what was paid until then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from langchain_core.runnables import RunnableConfig

from automix_graph.batch.questions import Question
from automix_graph.batch.rows import NEEDED, RowShape, Told
from automix_graph.engines.engine import Charge
from automix_graph.errors import ConfigurationError
from automix_graph.graph.call_listener import CallListener
from automix_graph.models.failures import is_failure
from automix_graph.models.given_up import GivenUp
from automix_graph.records import Call


class Graph(Protocol):
    """What answers questions: a graph that `create_automix` made, or what wraps one."""

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, /) -> Any:
        """Return what a graph of `create_automix` returns for ``{"question": TEXT}``."""
        ...


MakeGraph = Callable[[], Graph]
"""Makes a graph in the process that is to ask it: a function that can be pickled, without arguments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A question that is to be asked.

    Attributes:
        question: of the row.
        key: of its row.
    """

    question: Question
    key: bytes


def asker(make: MakeGraph, shape: RowShape) -> Callable[[Task], Awaitable[tuple[dict[str, Any], Charge]]]:
    """Return what asks a graph of its own: from a task to its row, answered or failed, and what that has cost.

    Args:
        make: makes the graph.
        shape: of the rows.
    """
    graph = make()

    async def ask(task: Task) -> tuple[dict[str, Any], Charge]:
        given_up = GivenUp()
        with given_up.current():
            result = await asked(graph, task.question.text, thread=task.key.hex())
        if isinstance(result, Failure):
            row = shape.failed(task.question, task.key, result.error, result.calls, given_up)
        else:
            row = shape.answered(task.question, task.key, result, given_up)
        told = Told.by(row)
        return row, Charge(cost=told.charged, failed=told.failed, known=not told.unpriced)

    return ask


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a question failed.

    Attributes:
        error: that was raised.
        calls: those before it, as far as they are known.
    """

    error: Exception
    calls: tuple[Call, ...]


async def asked(graph: Graph, question: str, *, thread: str) -> Mapping[str, Any] | Failure:
    """Ask a graph.

    Args:
        graph: that answers.
        question: in words.
        thread: under which a graph with a checkpointer keeps its state, and by which traces tell questions apart.

    Raises:
        ConfigurationError: what the graph returns is not what a graph of `create_automix` returns.
    """
    listener = CallListener()
    config: RunnableConfig = {"callbacks": [listener], "configurable": {"thread_id": thread}}
    try:
        result = await graph.ainvoke({"question": question}, config)
    except Exception as error:
        if not is_failure(error):
            raise
        return Failure(error=error, calls=listener.calls_before(error))
    missing = [name for name in NEEDED if not isinstance(result, Mapping) or name not in result]
    if missing:
        raise ConfigurationError(
            f"the graph returned no {', '.join(missing)}; give a graph that create_automix made, or one that returns "
            "what it returns",
            code="not-a-graph",
        )
    return cast("Mapping[str, Any]", result)
