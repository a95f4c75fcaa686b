"""Threads for models and retrievers that know no async, which the end of the process does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from automix_graph.serving.gate.exchange import current

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_Task = tuple[Future[Any], Callable[[], Any]]


class Threads(ThreadPoolExecutor):
    """Makes a thread for each call that finds none idle, and keeps it for the next.

    Event loops take no other executor than a `ThreadPoolExecutor`, whose own threads are joined when the interpreter
    ends, however long their calls take. These are daemon threads. A call in the name of a request keeps its place.

    Args:
        most: threads at once; more calls wait.

    Example:
        >>> threads = Threads(4)
        >>> threads.submit(pow, 2, 10).result()
        1024
        >>> threads.shutdown()
    """

    def __init__(self, most: int) -> None:
        super().__init__(max_workers=most)
        self._most = most
        self._begun = self._idle = 0
        self._ended = False
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._guard = threading.Lock()

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Have a thread call a function.

        Raises:
            RuntimeError: it was shut down, or the system gives no more threads.
        """
        future: Future[Result] = Future()
        with self._guard:
            if self._ended:
                raise RuntimeError("the server has ended: no thread takes a call any more")
            if self._idle:
                self._idle -= 1
            elif self._begun < self._most:
                threading.Thread(target=self._work, name=f"automix_{self._begun}", daemon=True).start()
                self._begun += 1
        if (exchange := current.get()) and exchange.place:
            exchange.place.keep_for(future)
        self._tasks.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls. Threads end with the calls that they have; nobody waits for them, whatever is asked."""
        with self._guard:
            self._ended = True
            for _ in range(self._begun):
                self._tasks.put(None)

    def _work(self) -> None:
        while task := self._tasks.get():
            _call(*task)
            del task  # or an idle thread would keep what the call was given
            with self._guard:
                self._idle += 1


def _call(future: Future[Result], function: Callable[[], Result]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
