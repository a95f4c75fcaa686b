"""What is left of a question's limits: every model call asks here before it is made, wherever in the code that is.

A budget is current for all that runs in its context, threads and tasks included. Where there is none, nothing is
limited.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from automix_graph.costs import Prices
from automix_graph.costs.limits import Limits, worst_tokens
from automix_graph.errors import LimitReachedError
from automix_graph.models.background import in_background
from automix_graph.models.chat import read_timeout, takes_timeout
from automix_graph.models.given_up import is_given_up, observer
from automix_graph.models.llm_cache import has_cache
from automix_graph.models.named import NamedModel
from automix_graph.models.retrying import Retries
from automix_graph.records import Call, Usage

Reply = TypeVar("Reply")

_GRACE: Final = 0.1
"""Seconds for which a connection may outlast the limit."""

_CAPS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")
"""What providers call the cap on what a model writes."""


class Budget:
    """What a question may still spend.

    Args:
        limits: of the question.
        prices: of tokens.
        calls: that were made so far.
        began: when the question began, in seconds since the epoch.
        entered: when the step began that spends it; None: with the question.
    """

    def __init__(
        self, limits: Limits, prices: Prices, *, calls: Sequence[Call], began: float, entered: float | None = None
    ) -> None:
        self._limits = limits
        self._prices = prices
        self._calls = sum(not call.cached for call in calls)
        self._cost = sum(call.cost or 0.0 for call in calls)
        self._ends = _first_end(limits, began, began if entered is None else entered)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Limit all model calls that are made in this context."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @property
    def seconds_left(self) -> float | None:
        """Until the step must have ended; None: it may take as long as it does."""
        return None if self._ends is None else self._ends.at - time.time()

    def admit(self, target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> None:
        """Take a call into account that is about to be made, at its worst.

        Raises:
            LimitReachedError: it might go beyond a limit, and is not to be made.
        """
        worst = self._worst(target, messages, options)
        left = self.seconds_left
        with self._lock:
            if left is not None and left <= 0:
                raise self._out_of_time(made=False)
            if self._limits.max_calls is not None and self._calls >= self._limits.max_calls:
                raise LimitReachedError.of("calls", self._limits.max_calls)
            if self._limits.max_cost is not None and self._cost + worst > self._limits.max_cost:
                raise LimitReachedError.of("cost", self._limits.max_cost)
            self._calls += 1
            self._cost += worst

    @contextlib.contextmanager
    def sent(self, target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> Iterator[None]:
        """Make an admitted call; where it is given up, whoever observes that is told what it may have cost."""
        try:
            yield
        except BaseException as error:
            observing = observer()
            if observing is not None and is_given_up(error):
                observing.add(self.at_worst(target, messages, options))
            raise

    def out_of_time(self) -> LimitReachedError:
        """Return the error of a call that was given up."""
        return self._out_of_time(made=True)

    def _out_of_time(self, *, made: bool) -> LimitReachedError:
        assert self._ends is not None  # else there is time
        return LimitReachedError.of(self._ends.limit, self._ends.seconds, made=made)

    def _worst(self, target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> float:
        if self._limits.max_cost is None:
            return 0.0
        cost = self.at_worst(target, messages, options)
        if cost is None:
            raise LimitReachedError.of("cost", self._limits.max_cost)  # what may cost anything may cost too much
        return cost

    def at_worst(self, target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> float | None:
        """Return what a call may cost at most, in USD; None where its price is unknown."""
        usage = Usage(
            input_tokens=worst_tokens(str(message.text) for message in messages),
            output_tokens=(_cap(target.model, options) or self._limits.assumed_output_tokens) * options.get("n", 1),
        )
        return self._prices.cost(Call(stage="", model=target.label, usage=usage, seconds=0.0))


class _End(NamedTuple):
    at: float
    limit: str
    seconds: float


def _first_end(limits: Limits, began: float, entered: float) -> _End | None:
    """Return which ceiling on time comes first, in seconds since the epoch, and which one it is."""
    ends = []
    if limits.max_seconds is not None:
        ends.append(_End(began + limits.max_seconds, "seconds", limits.max_seconds))
    if limits.max_node_seconds is not None:
        ends.append(_End(entered + limits.max_node_seconds, "node_seconds", limits.max_node_seconds))
    return min(ends, default=None)


_CURRENT: Final[ContextVar[Budget | None]] = ContextVar("automix_budget", default=None)


def observed(prices: Prices) -> contextlib.AbstractContextManager[None]:
    """Let calls that nothing limits be priced where somebody observes those that are given up.

    Args:
        prices: of tokens.
    """
    if observer() is None or _CURRENT.get() is not None:
        return contextlib.nullcontext()
    return Budget(Limits(), prices, calls=(), began=time.time()).current()


def send_within(
    target: NamedModel, messages: Sequence[BaseMessage], options: Mapping[str, Any], send: Callable[[], Reply]
) -> Callable[[], Reply]:
    """Return a call that is made only as far as the current budget goes, and given up when its time is over."""
    budget = _CURRENT.get()
    if budget is None:
        return send

    def limited() -> Reply:
        budget.admit(target, messages, options)
        with budget.sent(target, messages, options):
            return run_within(budget, send)

    return limited


def asend_within(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    options: Mapping[str, Any],
    send: Callable[[], Awaitable[Reply]],
) -> Callable[[], Awaitable[Reply]]:
    """Return a call that is made only as far as the current budget goes, asynchronously; see `send_within`."""
    budget = _CURRENT.get()
    if budget is None:
        return send

    async def limited() -> Reply:
        budget.admit(target, messages, options)
        with budget.sent(target, messages, options):
            return await arun_within(budget, send)

    return limited


def time_option(model: BaseChatModel) -> dict[str, Any]:
    """Return the option that tells a provider's client how long it has; empty where nothing limits the time.

    So a server that hangs holds no connection, and no thread, once nobody waits for it any more. Told are clients that
    are known to take the option. One that was told a shorter time keeps it. A model with a cache of LangChain's is not
    told, for the option would be part of the key.

    The time is a little longer than what is left, so that whoever waits gives up first, and for the right reason.
    """
    budget = _CURRENT.get()
    left = None if budget is None else budget.seconds_left
    if left is None or not takes_timeout(model) or has_cache(model):
        return {}
    own = read_timeout(model)
    return {} if own is not None and own <= left else {"timeout": max(0.0, left) + _GRACE}


def retries_within(retries: Retries) -> Retries:
    """Return how often a call is made again, with no wait that would outlast the current budget."""
    budget = _CURRENT.get()
    left = None if budget is None else budget.seconds_left
    return retries if left is None else dataclasses.replace(retries, seconds=max(0.0, min(retries.seconds, left)))


def run_within(budget: Budget | None, work: Callable[[], Reply]) -> Reply:
    """Return what a function returns, or give up on it when the time is over; its thread then ends by itself.

    Raises:
        LimitReachedError: the time is over.
    """
    left = None if budget is None else budget.seconds_left
    if budget is None or left is None:
        return work()
    working = in_background(work, name="automix-limited")
    concurrent.futures.wait([working], timeout=max(0.0, left))
    if not working.done():
        raise budget.out_of_time()
    return working.result()


async def arun_within(budget: Budget | None, work: Callable[[], Awaitable[Reply]]) -> Reply:
    """Return what a function returns, or cancel it when the time is over; see `run_within`."""
    left = None if budget is None else budget.seconds_left
    if budget is None or left is None:
        return await work()
    try:
        async with asyncio.timeout(max(0.0, left)) as timer:
            return await work()
    except TimeoutError:
        if timer.expired():
            raise budget.out_of_time() from None
        raise  # the provider's own


def _cap(model: BaseChatModel, options: Mapping[str, Any]) -> int | None:
    found = [options.get(name) or getattr(model, name, None) for name in _CAPS]
    return next((cap for cap in found if isinstance(cap, int) and cap > 0), None)
