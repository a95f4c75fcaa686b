"""Rows that are asked about in Ray actors: the actor, and the process that feeds it and takes in what is done."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from automix_graph.engines.desk import Desk, Handed
from automix_graph.engines.engine import Ask, EngineError, Job, Result, Row
from automix_graph.engines.ray_errors import failures_told, sealed
from automix_graph.engines.ray_pipeline import rows_per_block, through_actors
from automix_graph.engines.ray_room import Actors, tell_of_waiting

_MOST_THREADS: Final = 1024
_SPARE_CALLS: Final = 64
_MOST_FRUITLESS: Final = 3
"""Pipelines in a row whose actors die before any row is done, until the job is given up."""


class Asking:
    """The actor: holds what asks, and has it ask about several rows at one time, whatever block they come in.

    Args:
        make: makes what asks; called with the first block.
        desk: handle of the `Desk`.
        concurrency: rows that are worked on at one time.
    """

    def __init__(self, make: Callable[[], Ask[Any, Any]], desk: Any, concurrency: int) -> None:
        self._make = make
        self._desk = desk
        self._asks: Ask[Any, Any] | None = None
        self._making = threading.Lock()
        self._slots = asyncio.Semaphore(concurrency)
        self._loop = asyncio.new_event_loop()
        # Models and retrievers that know no async run in threads, of which asyncio has few more than there are cores.
        self._loop.set_default_executor(ThreadPoolExecutor(min(_MOST_THREADS, concurrency + 4)))
        threading.Thread(target=self._loop.run_forever, name="automix-asking", daemon=True).start()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Ask about the rows of a block that are left."""
        asyncio.run_coroutine_threadsafe(self._block(batch), self._loop).result()
        return {"position": batch["position"][:1]}

    async def _block(self, batch: dict[str, Any]) -> None:
        rows = dict(zip(batch["position"].tolist(), batch["item"], strict=True))
        left = await self._desk.left.remote(list(rows))
        if not left:
            return
        try:
            ask = await asyncio.to_thread(self._asker)
        except Exception as error:
            await self._desk.fail.remote(sealed(error))
            return
        asking = asyncio.gather(*(self._row(ask, position, rows[position]) for position in left))
        ended = asyncio.ensure_future(self._desk.ended.remote())
        await asyncio.wait((asking, ended), return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            ended.cancel()
            asking.result()
        else:
            asking.cancel()

    async def _row(self, ask: Ask[Any, Any], position: int, row: bytes) -> None:
        async with self._slots:
            if await self._desk.admit.remote(position) != "ask":
                return
            try:
                result, charge = await ask(pickle.loads(row))
                content = pickle.dumps(result)
            except Exception as error:
                await self._desk.fail.remote(sealed(error))
                return
            await self._desk.hand_in.remote(position, content, charge)

    def _asker(self) -> Ask[Any, Any]:
        with self._making:
            if self._asks is None:
                self._asks = self._make()
            return self._asks


class Feeding:
    """One job on a cluster.

    Args:
        ray: the module.
        job: that is done.
        actors: that do it.
    """

    def __init__(self, ray: Any, job: Job[Row, Result], *, actors: Actors) -> None:
        self._ray = ray
        self._job = job
        self._actors = actors
        self._given_up = threading.Event()
        waiting = 4 * actors.count * job.concurrency + _SPARE_CALLS
        kind = ray.remote(num_cpus=0, max_concurrency=waiting, scheduling_strategy=_beside_me(ray))(Desk)
        self._desk = kind.remote(job.gate)

    async def run(self) -> str | None:
        """Do the job; return why rows were no longer admitted."""
        rows = await self._rows()
        if not rows:
            return None
        thread = ThreadPoolExecutor(1, thread_name_prefix="automix-pipeline")
        pipeline = asyncio.get_running_loop().run_in_executor(thread, self._through, rows)
        waiting = asyncio.create_task(tell_of_waiting(self._ray, self._desk))
        try:
            with failures_told():
                await self._take_all()
                await pipeline
                stop: str | None = await self._desk.stop.remote()
                return stop
        finally:
            waiting.cancel()
            self._given_up.set()
            self._desk.end.remote()
            await asyncio.gather(pipeline, return_exceptions=True)
            thread.shutdown()
            self._ray.kill(self._desk)

    async def _rows(self) -> list[tuple[int, bytes]]:
        rows = []
        for row in self._job.rows:
            if row is None:
                await asyncio.sleep(0)
            else:
                rows.append((row[0], pickle.dumps(row[1])))
        return rows

    def _through(self, rows: list[tuple[int, bytes]]) -> None:
        """Run the rows through pipelines until none is left; in a thread.

        A pipeline leaves out the blocks of actors that die, so that no block waits for a machine that does not return.
        """
        fruitless = 0
        try:
            while rows and not self._given_up.is_set():
                self._once_through(rows)
                left = set(self._ray.get(self._desk.left.remote([position for position, _ in rows])))
                fruitless = fruitless + 1 if len(left) == len(rows) else 0
                if fruitless == _MOST_FRUITLESS:
                    raise EngineError(
                        f"actors died {fruitless} times before they had done any of {len(left)} rows, such as for want "
                        "of memory; see `ray status` and the logs of the cluster, and give it fewer actors or a lower "
                        "concurrency. What is done until now is kept: run the same again"
                    )
                rows = [row for row in rows if row[0] in left]
        finally:
            self._desk.close.remote()

    def _once_through(self, rows: Sequence[tuple[int, bytes]]) -> None:
        actors = replace(self._actors, count=min(self._actors.count, len(rows)))
        arguments = (self._job.make, self._desk, self._job.concurrency)
        block = rows_per_block(len(rows), self._job.concurrency, actors=actors.count)
        for _ in through_actors(self._ray, Asking, arguments, rows, actors=actors, block=block):
            if self._given_up.is_set():
                return

    async def _take_all(self) -> None:
        """Take in what is handed in, until nothing else will be."""
        kept: tuple[int, ...] = ()
        while True:
            handed: Handed = await self._desk.take.remote(kept)
            await asyncio.gather(*(self._job.done(number, pickle.loads(result)) for number, result in handed.results))
            kept = tuple(number for number, _ in handed.results)
            if handed.error is not None:
                raise pickle.loads(handed.error)
            if handed.closed and not kept:
                return


def _beside_me(ray: Any) -> Any:
    """Place an actor on the machine of this process: where that dies, the job ends whatever else lives."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
