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


def test_never_cancels_a_task_within_one_of_its_steps() -> None:
    within: list[int] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        os.kill(os.getpid(), signal.SIGTERM)
        within.append(task.cancelling())
        try:
            await asyncio.sleep(60)
        finally:
            within.append(task.cancelling())

    with termination_as_interrupt() as came, pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert came()
    assert within == [0, 1]
