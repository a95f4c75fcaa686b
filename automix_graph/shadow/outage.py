"""The time in which a file cannot be written: nobody is asked, for what is asked could not be kept.

It begins with a record that is lost. After a while the file is tested, and work goes on if it can be written again.
This module knows no models, and of the file only the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from filelock import Timeout

from automix_graph.errors import ConfigurationError

UNWRITABLE: Final = (OSError, Timeout, ConfigurationError)
"""What is raised where a file cannot be written."""

_PAUSE: Final = 60.0
"""Seconds between two tests."""


class Outage:
    """Says whether a file can be written, as far as is known; safe under threads.

    Args:
        test: raises one of `UNWRITABLE` where so many bytes cannot be written.
        pause: between two tests, in seconds.
        clock: gives seconds.

    Example:
        >>> now, room = 0.0, False
        >>> def test(size):
        ...     if not room:
        ...         raise OSError("full")
        >>> outage = Outage(test, pause=60.0, clock=lambda: now)
        >>> outage.begin(100)
        >>> now = 61.0
        >>> outage.lasts()
        True
        >>> now, room = 122.0, True
        >>> outage.lasts()
        False
    """

    def __init__(
        self, test: Callable[[int], None], *, pause: float = _PAUSE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._test = test
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._size = 0
        self._until: float | None = None

    @property
    def pauses(self) -> bool:
        """Whether the file is not even tested yet; at once."""
        until = self._until
        return until is not None and self._clock() < until

    def begin(self, size: int) -> None:
        """Take note of a line that could not be written.

        Args:
            size: of the line, in bytes.
        """
        with self._lock:
            self._size = max(self._size, size)
            self._until = self._clock() + self._pause

    def lasts(self) -> bool:
        """Return whether the file cannot be written; where it could not be, and some time has passed, it is tested."""
        with self._lock:
            if self._until is None or self.pauses:
                return self._until is not None
            try:
                self._test(self._size)
            except UNWRITABLE:
                self._until = self._clock() + self._pause
                return True
            self._until = None
            return False
