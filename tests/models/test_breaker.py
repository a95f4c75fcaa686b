"""The states of a circuit breaker, with a clock that stands until it is moved."""

import copy
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.models.breaker import Breaker, Permit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(opens_after=2, open_seconds=30, clock=clock)


def begun(breaker: Breaker) -> Permit:
    permit = breaker.begin()
    assert permit is not None
    return permit


def opened(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.ended(begun(breaker), "failed")


def test_failures_in_a_row_open_it_and_an_answer_between_does_not(breaker: Breaker) -> None:
    for outcome in ("failed", "answered", "failed", "abandoned"):
        breaker.ended(begun(breaker), outcome)  # type: ignore[arg-type]  # all are outcomes
    assert breaker.state == "closed"
    breaker.ended(begun(breaker), "failed")
    assert (breaker.state, breaker.begin()) == ("open", None)


def test_after_a_while_one_call_goes_through_to_see(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 29.9
    assert breaker.begin() is None
    clock.now += 0.1
    probe = begun(breaker)
    assert (breaker.state, breaker.begin()) == ("half-open", None)
    breaker.ended(probe, "answered")
    assert breaker.state == "closed"
    breaker.ended(begun(breaker), "failed")
    assert breaker.state == "closed", "it counts from zero again"


def test_a_probe_that_fails_opens_it_anew(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 30
    probe = begun(breaker)
    clock.now += 10
    breaker.ended(probe, "failed")
    clock.now += 29
    assert (breaker.state, breaker.begin()) == ("open", None)
    clock.now += 1
    assert breaker.begin() is not None


def test_a_probe_that_is_given_up_is_followed_by_another_at_once(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 30
    breaker.ended(begun(breaker), "abandoned")
    assert breaker.state == "open"
    assert breaker.begin() is not None


def test_a_probe_that_never_ends_is_followed_by_another_in_time(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 30
    lost = begun(breaker)
    clock.now += 30
    probe = begun(breaker)
    breaker.ended(lost, "failed")
    assert breaker.state == "half-open", "what comes of the lost one counts no more"
    breaker.ended(probe, "answered")
    assert breaker.state == "closed"


def test_what_comes_of_calls_from_before_says_nothing(breaker: Breaker, clock: Clock) -> None:
    early = [begun(breaker) for _ in range(4)]
    opened(breaker)
    breaker.ended(early[0], "answered")
    assert breaker.state == "open"
    clock.now += 30
    breaker.ended(begun(breaker), "answered")
    for permit in early[1:]:
        breaker.ended(permit, "failed")
    assert breaker.state == "closed"


def test_many_threads_get_one_probe(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 30
    ready = threading.Barrier(16)
    permits: list[Permit | None] = []

    def ask() -> None:
        ready.wait()
        permits.append(breaker.begin())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([permit for permit in permits if permit]) == 1


def test_a_copy_is_closed(clock: Clock) -> None:
    breaker = Breaker(opens_after=2, open_seconds=30)
    opened(breaker)
    for other in (copy.deepcopy(breaker), pickle.loads(pickle.dumps(breaker))):
        assert (breaker.state, other.state) == ("open", "closed")


@given(st.lists(st.sampled_from(["failed", "answered", "abandoned", "later"]), max_size=60), st.integers(1, 4))
def test_it_is_open_exactly_after_so_many_failures_in_a_row(steps: list[str], opens_after: int) -> None:
    clock = Clock()
    breaker = Breaker(opens_after=opens_after, open_seconds=10, clock=clock)
    failures, since = 0, -1.0
    for step in steps:
        if step == "later":
            clock.now += 10
            continue
        permit = breaker.begin()
        refused = failures >= opens_after and clock.now - since < 10
        assert (permit is None) == refused
        if permit is not None:
            breaker.ended(permit, step)  # type: ignore[arg-type]  # all are outcomes
            if step == "failed":
                failures, since = failures + 1, clock.now
            elif step == "answered":
                failures = 0
