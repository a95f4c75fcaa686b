"""A node of the graph: one function for sync runs, one for async runs, and no span of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, ensure_config

from automix_graph.graph.state import AutomixState, Update

SyncBody = Callable[[AutomixState, RunnableConfig], Update]
AsyncBody = Callable[[AutomixState, RunnableConfig], Awaitable[Update]]


class Node(Runnable[AutomixState, Update]):
    """Runs one of two bodies.

    LangGraph already traces each node; a `RunnableLambda` would trace it a second time.

    Args:
        name: of the node.
        body: for sync runs.
        abody: for async runs; waits for models without holding a thread.
    """

    def __init__(self, name: str, body: SyncBody, abody: AsyncBody) -> None:
        self.name = name
        self._body = body
        self._abody = abody

    def invoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the sync body."""
        return self._body(input, ensure_config(config))

    async def ainvoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the async body."""
        return await self._abody(input, ensure_config(config))
