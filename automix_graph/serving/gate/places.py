"""Places of a server: for requests that call models, and for the calls in threads that requests leave behind.

A call in a thread cannot be stopped. When its request has ended, by a deadline or because the client went away, it goes
on; so it keeps the place of the request until it ends, or calls that nobody waits for would pile up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Places:
    """A number of places, each taken by one request and by what it leaves behind.

    Args:
        most: places that there are.

    Example:
        >>> places, call = Places(1), Future()
        >>> place = places.take()
        >>> place.keep_for(call)
        >>> place.leave()
        >>> places.take() is None, places.left_behind
        (True, 1)
        >>> call.set_result("late")
        >>> places.take() is None, places.left_behind
        (False, 0)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._in_work = 0
        self._lock = threading.Lock()

    @property
    def left_behind(self) -> int:
        """How many are taken by calls alone, whose requests have ended."""
        return self._taken - self._in_work

    def take(self) -> Place | None:
        """Take a place for a request; None where there is none."""
        with self._lock:
            if self._taken >= self._most:
                return None
            self._taken += 1
            self._in_work += 1
        return Place(self._lock, left=self._left, free=self._free)

    def _left(self) -> None:
        self._in_work -= 1

    def _free(self) -> None:
        self._taken -= 1


class Place:
    """The place of one request; see `Places`.

    Args:
        lock: of all places.
        left: is called when the request ends, under the lock.
        free: is called when nobody has the place any more, under the lock.
    """

    def __init__(self, lock: threading.Lock, *, left: Callable[[], None], free: Callable[[], None]) -> None:
        self._lock = lock
        self._left = left
        self._free = free
        self._holders = 1

    def keep_for(self, call: Future[Any]) -> None:
        """Keep the place until a call has ended, whatever becomes of the request."""
        with self._lock:
            if not self._holders:  # it belongs to somebody else by now
                return
            self._holders += 1
        call.add_done_callback(lambda _: self._release())

    def leave(self) -> None:
        """Say that the request has ended; to be called once."""
        with self._lock:
            self._left()
        self._release()

    def _release(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._free()
