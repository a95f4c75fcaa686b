"""Work that is done in this process: in its event loop, and in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic

from automix_graph.engines.engine import Ask, Found, Gate, Item, Job, Pool, Result, Row


class LocalEngine:
    """Do the work in this process; the default.

    Example:
        >>> from automix_graph.engines.engine import Charge, OpenGate
        >>> async def doubled():
        ...     found = {}
        ...     async def ask(row):
        ...         return 2 * row, Charge()
        ...     async def done(position, result):
        ...         found[position] = result
        ...     job = Job(make=lambda: ask, rows=iter([(0, 5), (1, 6)]), gate=OpenGate, concurrency=2, done=done)
        ...     return await LocalEngine().answer(job), found
        >>> asyncio.run(doubled())
        (None, {0: 10, 1: 12})
    """

    apart = False

    async def answer(self, job: Job[Row, Result]) -> str | None:
        """Ask about rows in this event loop; see `Engine`."""
        ask, gate = job.make(), job.gate()
        workers = [asyncio.create_task(_work(job, ask, gate)) for _ in range(job.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return gate.stop

    def stream(self, function: Callable[[Item], Iterable[Found]], items: Sequence[Item]) -> Iterator[Found]:
        """Go through what a function finds, one item after the other."""
        for item in items:
            yield from function(item)

    @contextmanager
    def pool(self, make: Callable[[], Callable[[Item], Found]], *, threads: int) -> Iterator[Pool[Item, Found]]:
        """Compute in threads."""
        executor = ThreadPoolExecutor(threads, thread_name_prefix="automix-ingest")
        try:
            yield _Threads(executor, make(), threads)
        finally:
            executor.shutdown(cancel_futures=True)


async def _work(job: Job[Row, Result], ask: Ask[Row, Result], gate: Gate) -> None:
    for row in job.rows:
        if row is None:
            await asyncio.sleep(0)
        elif not await gate.admit():
            return
        else:
            result, charge = await ask(row[1])
            await job.done(row[0], result)
            await gate.settle(charge)


class _Threads(Generic[Item, Found]):
    def __init__(self, executor: ThreadPoolExecutor, function: Callable[[Item], Found], size: int) -> None:
        self.size = size
        self._executor = executor
        self._function = function

    def submit(self, item: Item) -> Future[Found]:
        return self._executor.submit(self._function, item)
