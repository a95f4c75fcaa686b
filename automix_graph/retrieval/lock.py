"""A lock that many readers share and one writer has to itself.

It knows nothing of what it guards.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


class ReadWriteLock:
    """Let many readers in together, or one writer alone.

    The lock is phase-fair. A waiting writer keeps new readers out, so a stream of readers cannot starve it; the readers
    that queued up while a writer worked go before the next writer, so a stream of writers cannot starve them. It is not
    reentrant: a thread that holds it must not ask for it again.

    Example:
        >>> lock = ReadWriteLock()
        >>> with lock.reading():
        ...     pass
        >>> with lock.writing():
        ...     pass
    """

    def __init__(self) -> None:
        self._mutex = threading.RLock()  # taken without the condition where nobody has to wait, which is faster
        self._changed = threading.Condition(self._mutex)
        self._phase = 0  # writers that have finished so far
        self._writing = False
        self._readers = 0
        self._waiting_readers = 0
        self._waiting_writers = 0
        self._owed = 0  # readers that go before the next writer
        self._reading = _Reading(self)

    def reading(self) -> AbstractContextManager[None]:
        """Hold the lock together with other readers."""
        return self._reading

    def _wait_to_read(self) -> None:
        phase = self._phase
        self._waiting_readers += 1
        try:
            self._changed.wait_for(lambda: self._admits_reader(phase))
        finally:
            self._waiting_readers -= 1
            if self._owed and self._phase != phase:
                self._owed -= 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._waiting_writers += 1
            try:
                self._changed.wait_for(self._admits_writer)
                self._writing = True
            finally:
                self._waiting_writers -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._phase += 1
                self._owed = self._waiting_readers
                self._changed.notify_all()

    def _admits_reader(self, phase: int) -> bool:
        return not self._writing and (self._waiting_writers == 0 or self._phase != phase)

    def _admits_writer(self) -> bool:
        return not self._writing and self._readers == 0 and self._owed == 0


class _Reading(AbstractContextManager[None]):
    """One object for all readers, because a search is short and `contextmanager` makes two of its own each time."""

    def __init__(self, lock: ReadWriteLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        lock = self._lock
        with lock._mutex:
            if lock._writing or lock._waiting_writers:
                lock._wait_to_read()
            lock._readers += 1

    def __exit__(self, *error: Any) -> None:
        lock = self._lock
        with lock._mutex:
            lock._readers -= 1
            if lock._waiting_writers:
                lock._changed.notify_all()
