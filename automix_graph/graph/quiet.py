"""Running model calls so that nothing of them reaches whoever streams the graph or the agent around them.

The handlers that stream are taken out of the config, and out of the context too: runnables that wrap a model merge its
config with the one they are given, and an agent finds its models' config nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.config import set_config_context, var_child_runnable_config

from automix_graph.graph.progress import streams, unstreamed

Result = TypeVar("Result")


def quietly(work: Callable[[RunnableConfig], Result], config: RunnableConfig | None = None) -> Result:
    """Return what a function returns that is given the config without streaming handlers, and finds it in the context.

    Args:
        work: makes the calls.
        config: None: that of the context.

    Example:
        >>> quietly(lambda config: sorted(config)) == sorted(ensure_config())
        True
    """
    if config is not None and _is_quiet(config):
        return work(config)
    quiet = unstreamed(ensure_config(config))
    with set_config_context(quiet) as context:
        return context.run(work, quiet)


async def aquietly(
    work: Callable[[RunnableConfig], Coroutine[Any, Any, Result]], config: RunnableConfig | None = None
) -> Result:
    """Return what a coroutine function returns, asynchronously; see `quietly`."""
    if config is not None and _is_quiet(config):
        return await work(config)
    quiet = unstreamed(ensure_config(config))
    with set_config_context(quiet) as context:
        return await asyncio.create_task(work(quiet), context=context)


def _is_quiet(config: RunnableConfig) -> bool:
    """Return whether nobody streams: the config is that of the context, and has no handler for it.

    Most runs stream nothing, and another context, or another task, for each node costs them as much as the node itself.
    """
    context: object = var_child_runnable_config.get()
    if context is not config:
        return False
    callbacks = config.get("callbacks")
    if not isinstance(callbacks, BaseCallbackManager):
        return False
    return not any(map(streams, (*callbacks.handlers, *callbacks.inheritable_handlers)))
