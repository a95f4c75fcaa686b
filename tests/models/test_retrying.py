"""How often a call is made, and how long is waited; nothing here waits for real."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.errors import ConfigurationError, LimitReachedError
from automix_graph.models.breaker import Breaker
from automix_graph.models.failures import CircuitOpenError, Failure, UnusableReplyError
from automix_graph.models.retrying import ONCE, Retries, Try, atry_calls, try_calls

BUSY = Failure(kind="overloaded", retryable=True)
AT_ONCE = Retries(attempts=3, first_wait=0.0)
both_doors = pytest.mark.parametrize("door", ["sync", "async"])


async def tried(
    door: str,
    outcomes: list[Any],
    retries: Retries = AT_ONCE,
    breaker: Breaker | None = None,
    check: Callable[[str], None] = lambda reply: None,
) -> list[Try[str]]:
    """Make a call that gives these outcomes, one after the other; what is left of them was not asked for."""

    def send() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return str(outcome)

    async def asend() -> str:
        return send()

    if door == "sync":
        return try_calls(send, retries=retries, breaker=breaker, check=check)
    return await atry_calls(asend, retries=retries, breaker=breaker, check=check)


@both_doors
async def test_a_call_is_made_until_it_succeeds(door: str) -> None:
    down = ConnectionError("down")
    outcomes: list[Any] = [down, TimeoutError(), "yes", "left"]
    tries = await tried(door, outcomes)
    assert [(type(one.error), one.reply) for one in tries] == [
        (ConnectionError, None),
        (TimeoutError, None),
        (type(None), "yes"),
    ]
    assert tries[0].error is down
    assert outcomes == ["left"]


@both_doors
async def test_a_call_is_made_so_often_and_no_more(door: str) -> None:
    outcomes: list[Any] = [ConnectionError()] * 4
    assert len(await tried(door, outcomes)) == 3
    assert len(outcomes) == 1


@both_doors
@pytest.mark.parametrize("error", [RuntimeError(), ConfigurationError("x")])
async def test_what_lasts_is_not_tried_again(door: str, error: Exception) -> None:
    assert len(await tried(door, [error, "left"])) == 1


@both_doors
async def test_a_reply_of_no_use_is_a_failure(door: str) -> None:
    def check(reply: str) -> None:
        if not reply:
            raise UnusableReplyError("empty_answer")

    tries = await tried(door, ["", "yes"], check=check)
    assert [(type(one.error).__name__, one.reply) for one in tries] == [
        ("UnusableReplyError", None),
        ("NoneType", "yes"),
    ]


@both_doors
@pytest.mark.parametrize("mistake", [NameError("x"), AssertionError("x"), KeyboardInterrupt()])
async def test_mistakes_come_through_and_give_the_probe_back(door: str, mistake: BaseException) -> None:
    now = [0.0]
    breaker = Breaker(opens_after=1, open_seconds=10, clock=lambda: now[0])
    await tried(door, [ConnectionError()], ONCE, breaker)
    now[0] = 10.0
    with pytest.raises(type(mistake)):
        await tried(door, [mistake], ONCE, breaker)
    assert (await tried(door, ["yes"], ONCE, breaker))[-1].reply == "yes"


@both_doors
async def test_an_open_breaker_refuses_at_once_and_ends_the_trying(door: str) -> None:
    breaker = Breaker(opens_after=2, open_seconds=60)
    slow = Retries(attempts=5, first_wait=0.0, longest_wait=0.0)
    first = await tried(door, [ConnectionError()] * 5, slow, breaker)
    assert [type(one.error) for one in first] == [ConnectionError] * 2
    (refused,) = await tried(door, ["never asked"], slow, breaker)
    assert isinstance(refused.error, CircuitOpenError)
    assert refused.seconds == 0.0


async def test_nobody_waits_for_a_model_that_will_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waits"))
    breaker = Breaker(opens_after=1, open_seconds=60)
    assert len(await tried("sync", [ConnectionError(), "left"], Retries(first_wait=9), breaker)) == 1


@both_doors
async def test_a_refused_request_shows_that_the_provider_is_there(door: str) -> None:
    breaker = Breaker(opens_after=2, open_seconds=60)
    for error in (ConnectionError(), RuntimeError(), ConnectionError()):
        await tried(door, [error], ONCE, breaker)
    assert breaker.state == "closed"


async def test_a_limit_of_this_package_says_nothing_of_the_provider() -> None:
    breaker = Breaker(opens_after=2, open_seconds=60)
    for error in (ConnectionError(), LimitReachedError("x", limit="calls", made=False), ConnectionError()):
        await tried("sync", [error], ONCE, breaker)
    assert breaker.state == "open"


async def test_waiting_does_not_block_the_loop_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("blocks"))
    monkeypatch.setattr("random.random", lambda: 1.0)
    breaker = Breaker(opens_after=9, open_seconds=60)
    patient = Retries(attempts=2, first_wait=60, longest_wait=60)
    task = asyncio.create_task(tried("async", [ConnectionError(), "yes"], patient, breaker))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_wait_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr("random.random", lambda: 0.5)
    asyncio.run(tried("sync", [ConnectionError()] * 3, Retries(attempts=3)))
    assert waits == [0.25, 0.5]


@given(
    made=st.integers(1, 99),
    chance=st.floats(0, 1, exclude_max=True),
    first=st.floats(0, 100),
    more=st.floats(0, 100),
    asked=st.none() | st.floats(0, allow_infinity=True),
)
def test_no_wait_is_longer_than_the_longest(
    made: int, chance: float, first: float, more: float, asked: float | None
) -> None:
    retries = Retries(attempts=100, first_wait=first, longest_wait=first + more, seconds=1e9)
    wait = retries.wait(replace(BUSY, wait=asked), made=made, passed=0.0, chance=chance)
    assert wait is not None
    assert 0 <= wait <= first + more
    if asked is None:
        assert wait <= chance * (first * 2.0 ** (made - 1))
    else:
        assert wait >= min(asked, first + more)


def test_what_is_asked_for_is_waited_and_a_little_more() -> None:
    asked = replace(BUSY, wait=4.0)
    assert Retries(first_wait=0.5).wait(asked, made=1, passed=0, chance=0.5) == 4.25
    assert Retries(longest_wait=3).wait(asked, made=1, passed=0, chance=0.5) == 3.0


def test_no_call_is_begun_when_the_time_is_over() -> None:
    retries = Retries(seconds=10)
    assert retries.wait(replace(BUSY, wait=4.0), made=1, passed=5.9, chance=0.0) == 4.0
    assert retries.wait(replace(BUSY, wait=4.0), made=1, passed=6.1, chance=0.0) is None


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ({"attempts": 0}, "whole number from 1"),
        ({"attempts": 101}, "to 100"),
        ({"attempts": 2.0}, "whole number"),
        ({"attempts": True}, "whole number"),
        ({"first_wait": -1}, "finite number of seconds"),
        ({"longest_wait": float("inf")}, "finite number of seconds"),
        ({"seconds": float("nan")}, "finite number of seconds"),
        ({"open_seconds": "1"}, "finite number of seconds"),
        ({"opens_after": 0}, "whole number from 1, or None"),
        ({"first_wait": 2, "longest_wait": 1}, "raise it"),
    ],
)
def test_numbers_out_of_range_are_refused(setting: dict[str, Any], allowed: str) -> None:
    with pytest.raises(ConfigurationError, match=allowed):
        Retries(**setting)
