"""Between actors that ask and the process that writes: who may ask about which row, and who has.

A desk is an actor of its own, beside the process that writes. An actor that asks may die at any moment, and what it was
asking about is then given to another one, in blocks. So every row is admitted here before it is asked about, and handed
in here as soon as it is done; a row that was handed in is never asked about again. This module knows no cluster: its
methods are called over one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from automix_graph.engines.engine import Charge, Gate

Answer = Literal["ask", "done", "stop"]
"""Whether a row is to be asked about: yes, no since it is done, or no and no other either."""


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What has come in at a desk.

    Attributes:
        results: number and result of rows, as bytes.
        error: that ends the job, as bytes; None where there is none.
        closed: whether nothing else will come.
    """

    results: tuple[tuple[int, bytes], ...]
    error: bytes | None
    closed: bool


class Desk:
    """Admits rows, and passes on their results.

    Args:
        gate: makes what admits rows.

    Example:
        >>> from automix_graph.engines.engine import OpenGate
        >>> async def twice():
        ...     desk = Desk(OpenGate)
        ...     first = await desk.admit(7)
        ...     handing_in = asyncio.create_task(desk.hand_in(7, b"seven", Charge()))
        ...     taken = await desk.take(())
        ...     await desk.close()
        ...     await desk.take((7,))
        ...     await handing_in
        ...     return first, taken.results, await desk.admit(7)
        >>> asyncio.run(twice())
        ('ask', ((7, b'seven'),), 'done')
    """

    def __init__(self, gate: Callable[[], Gate]) -> None:
        self._gate = gate()
        self._done: set[int] = set()
        self._in_work: set[int] = set()
        self._waiting: list[tuple[int, bytes]] = []
        self._receipts: dict[int, asyncio.Event] = {}
        self._arrived = asyncio.Event()
        self._begun = asyncio.Event()
        self._ended = asyncio.Event()
        self._error: bytes | None = None
        self._closed = False

    async def left(self, positions: Sequence[int]) -> list[int]:
        """Return which rows of a block are still to be asked about."""
        self._begun.set()
        if self._ended.is_set() or self._gate.stop is not None:
            return []
        return [position for position in positions if position not in self._done]

    async def admit(self, position: int) -> Answer:
        """Return whether a row is to be asked about, waiting until that is known."""
        if position in self._done:
            return "done"
        if self._ended.is_set():
            return "stop"
        if position in self._in_work:  # the actor that was admitted with it died
            return "ask"
        if not await self._gate.admit():
            return "stop"
        self._in_work.add(position)
        return "ask"

    async def hand_in(self, position: int, result: bytes, charge: Charge) -> None:
        """Take in the result of a row, and wait until it is kept for good; a second one of the same row is dropped."""
        if position in self._done:
            return
        self._done.add(position)
        self._in_work.discard(position)
        receipt = self._receipts[position] = asyncio.Event()
        self._waiting.append((position, result))
        self._arrived.set()
        await receipt.wait()
        await self._gate.settle(charge)

    async def fail(self, error: bytes) -> None:
        """Take in an error that ends the job; the first one counts."""
        self._error = self._error or error
        await self.end()

    async def end(self) -> None:
        """Admit nothing any more, and have all that is in work given up."""
        self._ended.set()
        self._arrived.set()

    async def begun(self) -> None:
        """Wait until an actor has called."""
        await self._begun.wait()

    async def ended(self) -> None:
        """Wait until all that is in work shall be given up."""
        await self._ended.wait()

    async def take(self, kept: Sequence[int]) -> Handed:
        """Return what has come in, waiting for something.

        Args:
            kept: rows taken before whose results are kept for good now.
        """
        for position in kept:
            self._receipts.pop(position).set()
        await self._arrived.wait()
        taken, self._waiting = tuple(self._waiting), []
        if not (self._closed or self._ended.is_set()):
            self._arrived.clear()
        return Handed(results=taken, error=self._error, closed=self._closed)

    async def close(self) -> None:
        """Say that nothing else will be handed in."""
        self._closed = True
        self._arrived.set()

    async def stop(self) -> str | None:
        """Return why rows are no longer admitted; None while they are."""
        return self._gate.stop
