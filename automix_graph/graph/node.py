"""A node of the graph: one function for sync runs, one for async runs, and no span of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.runnables.config import set_config_context

from automix_graph.graph.progress import unstreamed
from automix_graph.graph.state import AutomixState, Update

SyncBody = Callable[[AutomixState, RunnableConfig], Update]
AsyncBody = Callable[[AutomixState, RunnableConfig], Coroutine[Any, Any, Update]]


class Node(Runnable[AutomixState, Update]):
    """Runs one of two bodies.

    LangGraph already traces each node; a `RunnableLambda` would trace it a second time.

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

    def invoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the sync body."""
        config = ensure_config(config)
        if self._streams:
            return self._body(input, config)
        config = unstreamed(config)
        # In the context too: runnables that wrap a model merge the config of the context with the one they are given.
        with set_config_context(config) as context:
            return context.run(self._body, input, config)

    async def ainvoke(self, input: AutomixState, config: RunnableConfig | None = None, **kwargs: Any) -> Update:
        """Run the async body."""
        config = ensure_config(config)
        if self._streams:
            return await self._abody(input, config)
        config = unstreamed(config)
        with set_config_context(config) as context:
            return await asyncio.create_task(self._abody(input, config), context=context)
