"""What model calls may have cost that were sent and then given up, so that nobody knows what they came to.

A call is given up when its time is over, by a limit or by its client, and when it is cancelled because nobody needs it
any more. Its provider may charge it all the same. One that the provider refused, or that found no server, is none. This
module knows no model, and no ceiling.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

from automix_graph.errors import LimitReachedError
from automix_graph.models.provider_errors import read_failure


class GivenUp:
    """Adds up what calls that are given up may have cost; for all that runs in a context, threads and tasks included.

    Attributes:
        at_worst: in USD, of those whose price is known.
        unpriced: how many there are whose price is unknown.

    Example:
        >>> given_up = GivenUp()
        >>> with given_up.current():
        ...     observer().add(0.25)
        ...     observer().add(None)
        >>> given_up.at_worst, given_up.unpriced, observer()
        (0.25, 1, None)
    """

    def __init__(self) -> None:
        self.at_worst = 0.0
        self.unpriced = 0
        self._lock = threading.Lock()

    def add(self, worst: float | None) -> None:
        """Take in a call.

        Args:
            worst: that it may have cost, in USD; None where its price is unknown.
        """
        with self._lock:
            self.at_worst += worst or 0.0
            self.unpriced += worst is None

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Take in all calls that are given up in this context."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


_CURRENT: Final[ContextVar[GivenUp | None]] = ContextVar("automix_given_up", default=None)


def observer() -> GivenUp | None:
    """Return who adds up the calls that are given up in this context; None where nobody does."""
    return _CURRENT.get()


def is_given_up(error: BaseException) -> bool:
    """Return whether what ended a call leaves open what it came to.

    Example:
        >>> is_given_up(TimeoutError()), is_given_up(ConnectionRefusedError())
        (True, False)
    """
    if isinstance(error, LimitReachedError):
        return error.made
    if not isinstance(error, Exception):  # it was cancelled
        return True
    failure = read_failure(error)
    return failure.kind == "timeout" and failure.status is None  # a status is a reply
