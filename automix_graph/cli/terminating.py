"""SIGTERM treated as Ctrl-C, so that what a command does on Ctrl-C it does when a system stops it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

TERMINATED: Final = 143
"""Exit status after SIGTERM, as shells report it."""


@contextmanager
def termination_as_interrupt() -> Iterator[Callable[[], bool]]:
    """Have SIGTERM interrupt what runs in the block. For the main thread.

    Yields:
        What tells whether it came.
    """
    came = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for jobs in the background of a script
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _between_callbacks(lambda: signal.raise_signal(signal.SIGINT))

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGTERM, former)


def _between_callbacks(raise_it: Callable[[], None]) -> None:
    """Call a function; if a signal came within a callback of an event loop, after it.

    asyncio cancels a task at once on SIGINT: within a callback that may be one whose result is just being set.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise_it()
        return
    if asyncio.current_task() is None:
        loop.call_soon_threadsafe(raise_it)
    else:
        raise_it()
