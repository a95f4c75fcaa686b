"""A generator that runs where no callback of its consumer reaches.

LangChain and LangGraph take the callbacks of the run around them from a context variable, whatever the config of a call
says. So a run that must not show is made in a task whose context lacks it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from langchain_core.runnables.config import var_child_runnable_config

Item = TypeVar("Item")


async def detached(items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    """Pass on the items of a generator that runs apart; closing this one closes that one.

    Args:
        items: few enough to wait in memory for a consumer that is slow.

    Raises:
        Exception: what the generator raises.
    """
    ready: asyncio.Queue[Item | None] = asyncio.Queue()

    async def produce() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    ready.put_nowait(item)
        finally:
            ready.put_nowait(None)

    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, None)
    task = asyncio.create_task(produce(), context=context)
    try:
        while (item := await ready.get()) is not None:
            yield item
        await task
    finally:
        task.cancel()
        # Not awaited by itself: a second cancellation of this task must not interrupt how that one tidies up.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
