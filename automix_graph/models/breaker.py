"""A circuit breaker: a model that keeps failing is not asked for a while, so that questions find another way at once.

Closed, calls go through. After so many failures in a row it opens: calls are refused without being made. When it has
been open for a while, one call goes through to see (half-open): an answer closes it, a failure opens it anew. This
module knows neither models nor what counts as a failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

State = Literal["closed", "open", "half-open"]

Outcome = Literal["answered", "failed", "abandoned"]
"""What came of a call; one that is abandoned (cancelled, say) tells nothing of the model."""


class Permit:
    """Leave to make one call."""


class Breaker:
    """Count the failures of one model. Safe under threads and in an event loop: nothing waits here.

    Args:
        opens_after: failures in a row, at least 1.
        open_seconds: how long no call is made then.
        clock: seconds that only grow, for tests.

    Example:
        >>> breaker = Breaker(opens_after=1, open_seconds=30)
        >>> breaker.ended(breaker.begin(), "failed")
        >>> breaker.state, breaker.begin()
        ('open', None)
    """

    def __init__(self, *, opens_after: int, open_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._opens_after = opens_after
        self._open_seconds = open_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        # All calls of a closed breaker share a permit. It is another one after each time that the breaker was open, so
        # that what comes of a call from before says nothing about the model since.
        self._permit = Permit()
        self._probe: Permit | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # A lock stays in its process, and so does what was seen of the model there.
        return _closed, (self._opens_after, self._open_seconds, self._clock)

    @property
    def state(self) -> State:
        """Whether calls go through."""
        with self._lock:
            if self._opened is None:
                return "closed"
            return "open" if self._probe is None else "half-open"

    def begin(self) -> Permit | None:
        """Return leave to make a call, to be handed back to `ended` whatever comes of it; None: the call is refused."""
        with self._lock:
            if self._opened is None:
                return self._permit
            now = self._clock()
            if now - self._opened < self._open_seconds:
                return None
            # Were the probe never to end, there would be another one after as long again.
            self._opened = now
            self._probe = Permit()
            return self._probe

    def ended(self, permit: Permit, outcome: Outcome) -> None:
        """Take note of what came of a call."""
        with self._lock:
            if permit is self._probe:
                self._end_of_probe(outcome)
            elif permit is self._permit and self._opened is None and outcome != "abandoned":
                self._failures = self._failures + 1 if outcome == "failed" else 0
                if self._failures >= self._opens_after:
                    self._open()

    def _end_of_probe(self, outcome: Outcome) -> None:
        self._probe = None
        if outcome == "failed":
            self._open()
        elif outcome == "answered":
            self._opened, self._failures, self._permit = None, 0, Permit()
        else:
            self._opened = self._clock() - self._open_seconds  # the next call is the probe

    def _open(self) -> None:
        self._opened = self._clock()


def _closed(opens_after: int, open_seconds: float, clock: Callable[[], float]) -> Breaker:
    return Breaker(opens_after=opens_after, open_seconds=open_seconds, clock=clock)
