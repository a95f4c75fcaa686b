"""Where work is done: what an engine is asked for, and what it promises.

A long job is rows that are asked about, one write for each, by one process that alone knows what is done. An engine
decides where the asking happens: in this process, or in others, on other machines. This module knows no question, no
file and no cluster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from automix_graph.errors import AutomixError, ConfigurationError

Row = TypeVar("Row")
Result = TypeVar("Result")
Item = TypeVar("Item")
Found = TypeVar("Found")
_Given_contra = TypeVar("_Given_contra", contravariant=True)


class EngineError(AutomixError):
    """A cluster that failed while it worked. What was done until then is on disk."""

    usual_code = "ray-cluster"


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """What a row has cost.

    Attributes:
        cost: in USD, as far as it is known.
        failed: whether its question failed; one that did does not tell what others may cost.
        known: whether the cost is all of it.
    """

    cost: float = 0.0
    failed: bool = False
    known: bool = True


class Gate(Protocol):
    """Says whether another row may be asked about."""

    @property
    def stop(self) -> str | None:
        """Why none may any more; None while they may."""
        ...

    async def admit(self) -> bool:
        """Wait until it is known whether another row may be asked about, and return that."""
        ...

    async def settle(self, charge: Charge) -> None:
        """Take in what an admitted row has cost."""
        ...


class OpenGate:
    """Admits every row."""

    stop: str | None = None

    async def admit(self) -> bool:
        """Return True."""
        return True

    async def settle(self, charge: Charge) -> None:
        """Do nothing."""


Ask = Callable[[Row], Awaitable[tuple[Result, Charge]]]
"""Asks about a row; returns its result and what it has cost. What it raises ends the job."""


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Row, Result]):
    """Rows that are to be asked about.

    Attributes:
        make: makes what asks, where the asking is done.
        rows: with a number of its own each; None is a good moment to let others work.
        gate: makes what admits rows, where that is decided.
        concurrency: rows that are worked on at one time, in each place.
        done: takes in the result of a row; it is kept for good when this returns.
    """

    make: Callable[[], Ask[Row, Result]]
    rows: Iterator[tuple[int, Row] | None]
    gate: Callable[[], Gate]
    concurrency: int
    done: Callable[[int, Result], Awaitable[None]]


class Pool(Protocol[_Given_contra, Found]):
    """Computes a function of items, many at one time.

    Attributes:
        size: items that are worked on at one time.
    """

    size: int

    def submit(self, item: _Given_contra) -> Future[Found]:
        """Begin with an item; results may be waited for in any order."""
        ...


class Engine(Protocol):
    """Where work is done."""

    @property
    def apart(self) -> bool:
        """Whether that is in other processes, so that models have to be made there and cannot be handed over."""
        ...

    async def answer(self, job: Job[Row, Result]) -> str | None:
        """Ask about every row that is admitted, each once, and hand in its result.

        Returns:
            Why rows were no longer admitted; None where all were.

        Raises:
            ConfigurationError: the engine cannot be used as given.
            MissingExtraError: it needs a package that is not installed.
            EngineError: it failed.
        """
        ...

    def stream(self, function: Callable[[Item], Iterable[Found]], items: Sequence[Item]) -> Iterator[Found]:
        """Go through what a function finds in items, in their order. It may run ahead of what is taken."""
        ...

    def pool(
        self, make: Callable[[], Callable[[Item], Found]], *, threads: int
    ) -> AbstractContextManager[Pool[Item, Found]]:
        """Compute a function of items for as long as the block runs; `stream` within it shares its connection.

        Args:
            make: makes the function, where it is computed.
            threads: items that are worked on at one time in this process; an engine apart has sizes of its own.
        """
        ...


def made(given: object, factory: Callable[[], Item], *, apart: bool, what: str) -> Callable[[], Item]:
    """Return what makes a part of a job where it is needed.

    Args:
        given: the part itself, or a function without arguments that makes it.
        factory: that function; for a part that is made already, one that returns it.
        apart: whether it is needed in another process.
        what: it is, for errors.

    Raises:
        ConfigurationError: it is made already and needed elsewhere.
    """
    if apart and factory is not given:
        raise ConfigurationError(
            f"{what} is a {type(given).__name__}, which lives in this process; give a function without arguments that "
            "makes it, which RayEngine calls in each actor"
        )
    return factory
