"""Work in a thread of its own that nobody has to wait for: not even the end of the process does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


def in_background(work: Callable[[], Result], *, name: str) -> Future[Result]:
    """Start work in a daemon thread, in a copy of this context.

    Args:
        work: to be done.
        name: of the thread.

    Returns:
        What gives the result or the exception; it cannot be cancelled.

    Example:
        >>> in_background(lambda: 6 * 7, name="sum").result()
        42
    """
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=copy_context().run, args=(run,), name=name, daemon=True).start()
    return future
