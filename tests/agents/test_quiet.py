import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.config import set_config_context

from automix_graph.graph.quiet import aquietly, quietly


class Streams(BaseCallbackHandler):
    def tap_output_aiter(self, run_id: Any, output: Any) -> Any:
        return output


TRACER, STREAM = BaseCallbackHandler(), Streams()


def seen(config: RunnableConfig) -> tuple[Any, Any]:
    """Return the handlers in the config that is given, and in the one that is found in the context."""
    return config["callbacks"], ensure_config()["callbacks"]


def test_streaming_handlers_are_gone_inside_and_back_afterwards() -> None:
    with set_config_context({"callbacks": [TRACER, STREAM]}) as context:
        assert context.run(quietly, seen) == ([TRACER], [TRACER])
        assert context.run(lambda: ensure_config()["callbacks"]) == [TRACER, STREAM]


async def test_streaming_handlers_are_gone_inside_asynchronously() -> None:
    async def aseen(config: RunnableConfig) -> tuple[Any, Any]:
        await asyncio.sleep(0)
        return seen(config)

    async def run() -> tuple[Any, Any]:
        return await aquietly(aseen)

    with set_config_context({"callbacks": [TRACER, STREAM]}) as context:
        assert await asyncio.create_task(run(), context=context) == ([TRACER], [TRACER])


async def test_who_is_cancelled_cancels_the_call() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work(config: RunnableConfig) -> None:
        try:
            started.set()
            await asyncio.sleep(60)
        finally:
            ended.set()

    outer = asyncio.create_task(aquietly(work))
    await started.wait()
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    assert ended.is_set()
