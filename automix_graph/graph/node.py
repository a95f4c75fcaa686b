"""A node of the graph: one function for sync runs, one for async runs, and no span of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langgraph.types import Command

from automix_graph.graph.quiet import aquietly, quietly
from automix_graph.graph.replay import areplay, replay
from automix_graph.graph.state import AutomixState, Update
from automix_graph.graph.tracing import trace_outcome

SyncBody = Callable[[AutomixState, RunnableConfig], Update]
AsyncBody = Callable[[AutomixState, RunnableConfig], Coroutine[Any, Any, Update]]


UNHEARD: Final = "unheard"
"""In what a body returns: whether its answer is still to be streamed. It is no part of the state."""

GOES_TO: Final = "goes_to"
"""In what a body returns: which node comes next, where no edge says so and the question goes on. As little a part."""


class Node(Runnable[Any, Any]):
    """Runs one of two bodies, and gives the update that it returns; as a command where it says which node comes next.

    An edge that decides would have LangGraph put the state together once more. LangGraph already traces each node; a
    `RunnableLambda` would trace it a second time.

    Args:
        name: of the node.
        body: for sync runs.
        abody: for async runs; waits for models without holding a thread.
        streams: whether what models write here may go to the caller's stream.
    """

    def __init__(self, name: str, body: SyncBody, abody: AsyncBody, *, streams: bool) -> None:
        self.name = name
        self._body = body
        self._abody = abody
        self._streams = streams

    def invoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the sync body."""
        given = _whole(config)
        update = self._body(input, given) if self._streams else quietly(partial(self._body, input), given)
        if update.pop(UNHEARD, False):
            replay(update["messages"][-1], given)
        trace_outcome(update, given)
        return _sent_on(update)

    async def ainvoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run the async body."""
        given = _whole(config)
        update = await (self._abody(input, given) if self._streams else aquietly(partial(self._abody, input), given))
        if update.pop(UNHEARD, False):
            await areplay(update["messages"][-1], given)
        trace_outcome(update, given)
        return _sent_on(update)


def update_of(returned: object) -> Update | None:
    """Return the update in what a node has returned; None where there is none, as in what other runnables return."""
    update = returned.update if isinstance(returned, Command) else returned
    return update if isinstance(update, dict) else None


def _sent_on(update: Update) -> Update | Command[str]:
    going = update.pop(GOES_TO, None)
    return update if going is None else Command(update=update, goto=going)


def _whole(config: RunnableConfig | None) -> RunnableConfig:
    """Return a config with all its keys; one with the callbacks of a run has them, for LangGraph made it."""
    if config is not None and isinstance(config.get("callbacks"), BaseCallbackManager):
        return config
    return ensure_config(config)
