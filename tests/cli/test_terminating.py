"""SIGTERM as Ctrl-C: when it interrupts, with an event loop and without."""

import asyncio
import os
import signal

import pytest

from automix_graph.cli.terminating import termination_as_interrupt


def test_interrupts_at_once_where_no_event_loop_runs() -> None:
    with termination_as_interrupt() as came:
        assert not came()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert came()


def test_never_cancels_a_task_within_a_callback_of_the_event_loop() -> None:
    within: list[int] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None

        def callback() -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            within.append(task.cancelling())

        asyncio.get_running_loop().call_soon(callback)
        try:
            await asyncio.sleep(60)
        finally:
            within.append(task.cancelling())

    with termination_as_interrupt() as came, pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert came()
    assert within == [0, 1]


def test_cancels_a_task_at_once_that_raises_the_signal_itself() -> None:
    within: list[int] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)  # as servers do when they have ended
        task = asyncio.current_task()
        assert task is not None
        within.append(task.cancelling())

    with termination_as_interrupt() as came, pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert came()
    assert within == [1]
