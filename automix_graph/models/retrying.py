"""How often, and how long, a model that fails is asked again.

Waits grow exponentially with full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), or
are as long as the provider asks for. This module knows neither models nor prompts: a call is a function.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from automix_graph.errors import AutomixError, ConfigurationError, LimitReachedError
from automix_graph.models.breaker import Breaker, Outcome, Permit
from automix_graph.models.failures import CircuitOpenError, Failure, is_failure
from automix_graph.models.provider_errors import read_failure

Reply = TypeVar("Reply")

_MOST_ATTEMPTS: Final = 100
_MOST_DOUBLINGS: Final = 60
"""More of them only overflow; the longest wait is reached long before."""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


@dataclass(frozen=True, kw_only=True)
class Retries:
    """What is done about a model that fails for a reason that may pass.

    A call is made again after a rate limit, an overloaded server, a timeout, a broken connection, or a reply that is
    empty or cannot be read; never after a request that the provider will not have (400, 401, 403, 404, 422), nor when
    the quota is used up.

    Attributes:
        attempts: calls at most, the first included.
        first_wait: before the second call, in seconds: drawn evenly from 0 to this, then to twice of it, and so on.
        longest_wait: of any single wait, in seconds, also where the provider asks for a longer one (``Retry-After``).
        seconds: no further call is begun when so many will have passed since the first one began.
        opens_after: failures in a row, over all questions, after which the model is not asked at all for a while and
            calls fail at once; None: it is always asked.
        open_seconds: how long that while is; then one call is let through to see.

    Raises:
        ConfigurationError: a number is out of range.

    Example:
        >>> Retries(attempts=5, longest_wait=10).first_wait
        0.5
    """

    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 30.0
    seconds: float = 120.0
    opens_after: int | None = 5
    open_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not _is_count(self.attempts) or self.attempts > _MOST_ATTEMPTS:
            raise ConfigurationError(
                f"attempts is {self.attempts!r}; use a whole number from 1 (never again) to {_MOST_ATTEMPTS}"
            )
        if self.opens_after is not None and not _is_count(self.opens_after):
            raise ConfigurationError(f"opens_after is {self.opens_after!r}; use a whole number from 1, or None")
        for name in ("first_wait", "longest_wait", "seconds", "open_seconds"):
            if not _is_duration(value := getattr(self, name)):
                raise ConfigurationError(f"{name} is {value!r}; use a finite number of seconds, 0 or more")
        if self.longest_wait < self.first_wait:
            raise ConfigurationError(
                f"longest_wait is {self.longest_wait!r}, which is below first_wait={self.first_wait!r}; raise it"
            )

    def breaker(self) -> Breaker | None:
        """Return a closed circuit breaker for one model; None where there is to be none."""
        if self.opens_after is None:
            return None
        return Breaker(opens_after=self.opens_after, open_seconds=self.open_seconds)

    def wait(self, failure: Failure, *, made: int, passed: float, chance: float) -> float | None:
        """Return the seconds to wait before the next call; None: there is none.

        Args:
            failure: of the last call.
            made: calls so far.
            passed: seconds since the first one began.
            chance: drawn evenly from [0, 1).

        Example:
            >>> busy = Failure(kind="overloaded", retryable=True)
            >>> [Retries(attempts=4).wait(busy, made=made, passed=0, chance=0.5) for made in (1, 2, 3, 4)]
            [0.25, 0.5, 1.0, None]
        """
        if made >= self.attempts or not failure.retryable:
            return None
        if failure.wait is None:
            wait = chance * min(self.longest_wait, self.first_wait * 2.0 ** min(made - 1, _MOST_DOUBLINGS))
        else:
            # A little later than asked for, so that those turned away together do not come back together.
            wait = min(self.longest_wait, failure.wait + chance * self.first_wait)
        return wait if passed + wait <= self.seconds else None


ONCE: Final = Retries(attempts=1, opens_after=None)
"""A call that fails has failed, and the next one is made all the same."""


@dataclass(frozen=True, kw_only=True)
class Try(Generic[Reply]):
    """One call: exactly one of reply and error is given.

    Attributes:
        seconds: wall time.
        reply: what it returned.
        error: what it raised, or why the reply is of no use.
    """

    seconds: float
    reply: Reply | None = None
    error: Exception | None = None


def try_calls(
    send: Callable[[], Reply], *, retries: Retries, breaker: Breaker | None, check: Callable[[Reply], None]
) -> list[Try[Reply]]:
    """Make a call until it succeeds, fails for good, or has been made often enough.

    Args:
        send: makes it.
        retries: how often.
        breaker: of the model; None: there is none.
        check: raises where a reply is of no use.

    Returns:
        Every call that was made, at least one; the last one counts. A call that the breaker refused stands in the list
        where no other was made.

    Example:
        >>> tries = try_calls(lambda: "yes", retries=ONCE, breaker=None, check=lambda reply: None)
        >>> [one.reply for one in tries]
        ['yes']
    """
    trying = _Trying(retries, breaker, check)
    while trying.may_begin():
        try:
            trying.answered(send())
        except BaseException as error:
            if not trying.failed(error):
                raise
        if trying.pause:
            time.sleep(trying.pause)
    return trying.tries


async def atry_calls(
    send: Callable[[], Awaitable[Reply]],
    *,
    retries: Retries,
    breaker: Breaker | None,
    check: Callable[[Reply], None],
) -> list[Try[Reply]]:
    """Make a call until it succeeds, fails for good, or has been made often enough; see `try_calls`."""
    trying = _Trying(retries, breaker, check)
    while trying.may_begin():
        try:
            trying.answered(await send())
        except BaseException as error:
            if not trying.failed(error):
                raise
        if trying.pause:
            await asyncio.sleep(trying.pause)
    return trying.tries


class _Trying(Generic[Reply]):
    """The calls so far, and whether there is another one."""

    def __init__(self, retries: Retries, breaker: Breaker | None, check: Callable[[Reply], None]) -> None:
        self.tries: list[Try[Reply]] = []
        self.pause: float | None = 0.0
        self._retries = retries
        self._breaker = breaker
        self._check = check
        self._began = self._start = time.perf_counter()
        self._permit: Permit | None = None

    def may_begin(self) -> bool:
        """Return whether there is another call, and take its time from now on."""
        if self.pause is None:
            return False
        if self._breaker is not None:
            self._permit = self._breaker.begin()
            if self._permit is None:
                if not self.tries:
                    self.tries.append(Try(seconds=0.0, error=CircuitOpenError()))
                return False
        self._start = time.perf_counter()
        return True

    def answered(self, reply: Reply) -> None:
        """Take note of a call that has returned; raise where its reply is of no use, which is then a failed call."""
        self._check(reply)
        self.tries.append(Try(seconds=time.perf_counter() - self._start, reply=reply))
        self.pause = None
        self._end("answered")

    def failed(self, error: BaseException) -> bool:
        """Take note of a call that has raised; return False where that is no failure, and is to be raised again."""
        if not isinstance(error, Exception) or not is_failure(error):
            self._end("abandoned")
            return False
        seconds = time.perf_counter() - self._start
        self.tries.append(Try(seconds=seconds, error=error))
        outcome: Outcome = "abandoned"
        try:
            failure = read_failure(error)
            self.pause = self._next_pause(failure)
            outcome = _outcome(error, failure, seconds=seconds)
        finally:
            self._end(outcome)
        return True

    def _end(self, outcome: Outcome) -> None:
        if self._breaker is not None and self._permit is not None:
            self._breaker.ended(self._permit, outcome)
            if self._breaker.state == "open":
                self.pause = None  # whoever asks next is refused

    def _next_pause(self, failure: Failure) -> float | None:
        passed = time.perf_counter() - self._began
        return self._retries.wait(failure, made=len(self.tries), passed=passed, chance=random.random())


_LONG: Final = 0.5
"""Share of a limit on time that a call must have had to itself, for its being given up to speak against the model."""


def _outcome(error: Exception, failure: Failure, *, seconds: float) -> Outcome:
    if failure.retryable:
        return "failed"
    if isinstance(error, LimitReachedError) and error.made and seconds >= (error.ceiling or math.inf) * _LONG:
        return "failed"
    # A provider that turns a request down is there; what this package refuses says nothing of it.
    return "abandoned" if isinstance(error, AutomixError) else "answered"
