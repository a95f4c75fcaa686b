"""The ceilings of a batch, on what it may cost and how often it may fail: whether another question may be asked.

What a question is charged is known when it is done: what it cost, with calls that were given up at their worst. Until
then it is taken to cost as much as the dearest one so far, and until one is answered they are asked one at a time. So
only questions that cost more than any before them can pass the ceiling.

A provider that is down fails every question. So a batch ends where many have failed one after the other, in the order
in which they were done, before all of them have.
"""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from automix_graph.engines.engine import Charge

Stop = Literal["budget", "unknown cost", "failures"]
"""Why no other question is asked: the next one might not fit, what was spent is unknown, or many failed in a row."""

_ROUNDING: Final = 1e-9


class Budget:
    """Admits questions as long as they fit.

    Args:
        ceiling: in USD; None admits all.
        spent: before, in USD.
        dearest: charge of the dearest question that was answered before, in USD; None where there was none.
        failures: that may follow each other; 0: any number.

    Attributes:
        stop: why questions are no longer admitted; None while they are.

    Example:
        >>> async def admitted():
        ...     budget, count = Budget(0.35), 0
        ...     while await budget.admit():
        ...         count += 1
        ...         await budget.settle(Charge(cost=0.1))
        ...     return count, budget.stop
        >>> asyncio.run(admitted())
        (3, 'budget')
    """

    def __init__(
        self, ceiling: float | None, *, spent: float = 0.0, dearest: float | None = None, failures: int = 0
    ) -> None:
        self.stop: Stop | None = None
        self._most_failures = failures
        self._failures = 0
        self._ceiling = ceiling
        self._spent = spent
        self._dearest = dearest or 0.0
        self._answered = dearest is not None
        self._in_work = 0
        self._settled = asyncio.Condition()

    async def admit(self) -> bool:
        """Wait until it is known whether another question may be asked, and return that."""
        if self._ceiling is None:
            return self.stop is None
        async with self._settled:
            await self._settled.wait_for(lambda: self.stop is not None or self._fits() or not self._in_work)
            if self.stop is None and not self._fits():
                self.stop = "budget"
                self._settled.notify_all()
            if self.stop is None:
                self._in_work += 1
            return self.stop is None

    async def settle(self, charge: Charge) -> None:
        """Take in what an admitted question has cost, and whether it failed."""
        self._failures = self._failures + 1 if charge.failed else 0
        if self._most_failures and self._failures >= self._most_failures:
            self.stop = self.stop or "failures"
        if self._ceiling is None:
            return
        async with self._settled:
            self._in_work -= 1
            self._spent += charge.cost
            self._dearest = max(self._dearest, charge.cost)
            self._answered = self._answered or not charge.failed
            if not charge.known:
                self.stop = self.stop or "unknown cost"
            self._settled.notify_all()

    def _fits(self) -> bool:
        assert self._ceiling is not None, "nobody asks without a ceiling"
        if not self._answered and self._in_work:  # one that failed does not tell what others may cost
            return False
        return self._spent + self._dearest * (self._in_work + 1) <= self._ceiling * (1 + _ROUNDING)
