"""Answers that are begun before anybody knows whether they are needed: the last model starts while the judge reads.

Off unless asked for: it buys time with money. What is begun lives in this process only; a graph that is resumed
elsewhere asks again. A call that turns out not to be needed is cancelled and stands in the ledger with unknown tokens,
for the provider charges some of them and tells nobody how many; one that had ended by then is charged as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.runnables import RunnableConfig

from automix_graph.graph.state import AutomixState
from automix_graph.models.background import in_background
from automix_graph.models.calling import Attempt, NamedModel
from automix_graph.records import Call, Record, Stage, Usage

CANCELLED: Final = "cancelled: the draft was kept"
"""The error of a call that was begun and not needed."""

Asking = Callable[[Record, RunnableConfig], Attempt]
AsyncAsking = Callable[[Record, RunnableConfig], Coroutine[Any, Any, Attempt]]


@dataclass(kw_only=True)
class Begun:
    """An answer that was begun.

    Attributes:
        running: gives the attempt.
        began: when, by the performance counter.
    """

    running: Future[Attempt] | asyncio.Task[Attempt]
    began: float = field(default_factory=time.perf_counter)

    @contextlib.contextmanager
    def unless_failed(self) -> Iterator[None]:
        """Let it run on if the block succeeds; cancel it if the block fails, or is cancelled itself."""
        try:
            yield
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Cancel it; nobody waits for it any more."""
        self.running.cancel()
        self.running.add_done_callback(_forget)

    def result(self) -> Attempt:
        """Wait for the attempt."""
        assert isinstance(self.running, Future), "a graph is run in one way, synchronously or not"
        return self.running.result()

    async def aresult(self) -> Attempt:
        """Wait for the attempt, asynchronously."""
        if isinstance(self.running, Future):
            return await asyncio.wrap_future(self.running)
        return await self.running


class Ahead:
    """Begins answers of the last tier, and hands them on.

    Args:
        model: of that tier.
        stage: under which its calls are charged.
        ask: asks it.
        aask: asks it asynchronously.
    """

    def __init__(self, model: NamedModel, *, stage: Stage, ask: Asking, aask: AsyncAsking) -> None:
        self._model = model
        self._stage = stage
        self._ask = ask
        self._aask = aask
        self._kept: dict[str, Begun] = {}

    def begin(self, record: Record, config: RunnableConfig) -> Begun:
        """Begin the answer to a question in a thread of its own."""
        return Begun(running=in_background(lambda: self._ask(record, config), name="automix-ahead"))

    def abegin(self, record: Record, config: RunnableConfig) -> Begun:
        """Begin the answer to a question in a task of its own."""
        return Begun(running=asyncio.create_task(self._aask(record, config)))

    def unneeded(self, begun: Begun) -> tuple[Call, ...]:
        """Cancel what was begun, and return the calls that it came to.

        A synchronous call cannot be cancelled: it runs to its end, and nobody waits for it.
        """
        running = begun.running
        if running.done() and not running.cancelled() and running.exception() is None:
            return running.result().calls
        begun.cancel()
        seconds = time.perf_counter() - begun.began
        return (Call(stage=self._stage, model=self._model.label, usage=Usage(), seconds=seconds, error=CANCELLED),)

    def keep(self, begun: Begun) -> str:
        """Keep what was begun for the node that needs it; return under which name."""
        name = uuid.uuid4().hex
        self._kept[name] = begun
        return name

    def take(self, state: AutomixState) -> Begun | None:
        """Return what was begun for a question, once; None where nothing was, or not in this process."""
        return self._kept.pop(state.get("ahead", ""), None)


def _forget(running: Future[Attempt] | asyncio.Future[Attempt]) -> None:
    """Look at how it ended, so that nobody complains that no one did."""
    if not running.cancelled():
        running.exception()
