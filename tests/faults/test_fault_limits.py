"""A server that hangs or drips, under a limit of time: the question ends in time, and nothing is left behind."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable

import pytest
from cascades import Cascades, Stage, always, assert_sound
from fault_server import LONG, Fault
from provider_faults import drip_on, hang

from automix_graph.costs import Limits
from automix_graph.errors import AutomixError, LimitReachedError
from automix_graph.models.retrying import ONCE, Retries

pytestmark = pytest.mark.integration

SECONDS = 1.0
LATE = 3.0
"""Seconds that a question may take beside its limit, on a busy machine; the server hangs for many more."""

ways = pytest.mark.parametrize("sync", [True, False])
faults = pytest.mark.parametrize("fault", [hang, drip_on])


def waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "automix-limited"]


async def gone(there: Callable[[], object], within: float) -> bool:
    """Return whether something is gone within a time."""
    ends = time.perf_counter() + within
    while there() and time.perf_counter() < ends:
        await asyncio.sleep(0.01)
    return not there()


async def assert_nothing_left(cascades: Cascades, fault: Fault, sync: bool) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    assert not tasks
    if fault is drip_on and sync:
        # Nobody can end a read of another thread that goes well: it ends with the reply.
        cascades.server.released.set()
    assert await gone(waiting, 2.0)
    if fault is hang:  # the server does not see that its client has gone
        cascades.server.released.set()
    assert await gone(lambda: cascades.server.open, 2.0)


async def run(
    cascades: Cascades, stage: Stage, fault: Fault, limits: Limits, retries: Retries = ONCE, **ways: bool
) -> tuple[object, float]:
    """Return the cascade, or the error in its place, and the seconds."""
    try:
        found: object = await cascades.run(stage, always(fault), retries, limits=limits, **ways)  # type: ignore[arg-type]  # flags
    except AutomixError as error:
        found = error
    return found, time.perf_counter() - cascades.began


@ways
@faults
@pytest.mark.parametrize(
    "stage",
    [
        "small",
        "votes",
        "large",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("short", "likelihood", "middle")),
    ],
)
async def test_the_question_ends_in_time(cascades: Cascades, stage: Stage, fault: Fault, sync: bool) -> None:
    found, seconds = await run(cascades, stage, fault, Limits(max_seconds=SECONDS), sync=sync)
    assert seconds < SECONDS + LATE
    if stage == "small":  # nobody answered
        assert isinstance(found, AutomixError)
        assert "limit reached" in str(found)
    else:
        assert_sound(found)  # type: ignore[arg-type]  # no error
        result = found.result  # type: ignore[attr-defined]
        assert (result["answer"], result["degraded"]) == (
            "M" if stage == "middle" and result["route"] != "small" else "S",
            True,
        )
        assert result["degraded_reason"] == "limit on seconds reached"
        assert result["cost"] is None  # what was given up costs nobody knows what
        gave_up = [call for call in result["usage"]["calls"] if call["error"]]
        assert {call["error"] for call in gave_up} == {"limit on seconds reached"}
        assert gave_up[0]["input_tokens"] is None
    await assert_nothing_left(cascades, fault, sync)


@ways
@faults
@pytest.mark.parametrize("stage", ["small", "short", "middle"])
async def test_a_step_that_is_given_up_leaves_time_for_another_way(
    cascades: Cascades, stage: Stage, fault: Fault, sync: bool
) -> None:
    limits = Limits(max_seconds=10, max_node_seconds=SECONDS)
    found, seconds = await run(cascades, stage, fault, limits, sync=sync)
    result = found.result  # type: ignore[attr-defined]
    assert seconds < SECONDS + 2 * LATE
    failed = [(call["stage"], call["error"]) for call in result["usage"]["calls"] if call["error"]]
    node = {"small": "small_answer", "short": "verify", "middle": "middle_answer"}[stage]
    assert failed == [(node, "limit on node_seconds reached")]
    assert (result["answer"], result["route"], result["degraded"]) == ("L", "large", False)
    await assert_nothing_left(cascades, fault, sync)


@ways
@pytest.mark.parametrize("limits", [{"max_seconds": SECONDS}, {"max_node_seconds": SECONDS}])
async def test_by_choice_it_is_an_error(cascades: Cascades, limits: dict[str, float], sync: bool) -> None:
    found, seconds = await run(cascades, "large", hang, Limits(on_reached="raise", **limits), sync=sync)  # type: ignore[arg-type]  # numbers
    assert isinstance(found, LimitReachedError)
    assert (found.limit, found.made) == (next(iter(limits)).removeprefix("max_"), True)
    assert seconds < SECONDS + LATE
    await assert_nothing_left(cascades, hang, sync)


@ways
async def test_a_provider_is_told_how_much_time_is_left_and_keeps_a_shorter_one(cascades: Cascades, sync: bool) -> None:
    """A time-out of the model's own fails for a reason that may pass; the limit does not."""
    found, _ = await run(
        cascades, "short", hang, Limits(max_seconds=LONG), Retries(attempts=2, first_wait=0.0), sync=sync, timeout=0.2
    )  # type: ignore[call-overload,misc]  # seconds
    errors = [call["error"] for call in found.result["usage"]["calls"] if call["stage"] == "verify"]  # type: ignore[attr-defined]
    assert errors == ["OpenAITimeoutError"] * 2
    cascades.server.released.set()


@pytest.mark.filterwarnings("error")
async def test_no_socket_is_left_behind(cascades: Cascades) -> None:
    await run(cascades, "large", hang, Limits(max_seconds=0.2), sync=False)
    gc.collect()  # a socket that nobody closed warns now
    await assert_nothing_left(cascades, hang, sync=False)
