"""Runs of a batch: the graph, how many questions are in work, the progress that is told, and the options."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from scripted import CALL, graph_of, read, row, write

from automix_graph import build_automix
from automix_graph.batch import BatchOptions, BatchProgress, run_batch
from automix_graph.errors import ConfigurationError
from automix_graph.testing import FunctionChatModel, StaticRetriever


def test_no_more_questions_are_in_work_than_allowed(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(20)))
    now, most = 0, 0
    graph = graph_of()

    class Counting:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            return await graph.ainvoke(question, config)

    run_batch(data, out, Counting(), options=BatchOptions(concurrency=7))
    assert most == 7


def test_a_checkpointer_keeps_each_question_under_the_fingerprint_of_its_row(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(3))
    saver = InMemorySaver()
    graph = build_automix(
        small=FunctionChatModel(lambda prompt: "In May"),
        large=FunctionChatModel(lambda prompt: "Correct"),
        retriever=StaticRetriever(["It was in May."]),
    ).compile(checkpointer=saver)
    assert run_batch(data, out, graph).complete
    assert set(saver.storage) == {one["fingerprint"] for one in read(out)}


def test_a_graph_that_returns_something_else_is_refused(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))

    class Other:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            return {"answer": "May"}

    with pytest.raises(ConfigurationError, match="returned no route, confidence"):
        run_batch(data, out, Other())


async def test_a_loop_that_runs_is_told_of(tmp_path: Path, out: Path) -> None:
    with pytest.raises(ConfigurationError, match="await arun_batch"):
        run_batch(tmp_path / "in.jsonl", out, graph_of())


def test_progress_tells_rate_share_cost_and_what_is_left(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(6)), "{")
    run_batch(write(tmp_path / "first.jsonl", row(0), row(1)), out, graph_of())
    seen: list[BatchProgress] = []
    run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1), progress=seen.append)
    assert [(now.done, now.total, now.asked, now.rejected) for now in seen] == [
        (0, 6, 0, 1),
        (3, 6, 1, 1),
        (4, 6, 2, 1),
        (5, 6, 3, 1),
        (6, 6, 4, 1),
    ]
    assert [now.escalated for now in seen] == [None, 1 / 3, 1 / 2, 2 / 5, 2 / 6]
    assert [now.spent.cost for now in seen] == pytest.approx([5 * CALL, 7 * CALL, 10 * CALL, 12 * CALL, 14 * CALL])
    assert (seen[0].rate, seen[0].eta) == (None, None)
    assert seen[2].eta == pytest.approx(2 / (2 / seen[2].seconds))


def test_a_function_that_makes_the_graph_does_too(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    assert run_batch(data, out, graph_of).answered == 1
    with pytest.raises(ConfigurationError, match="graph is a int"):
        run_batch(data, tmp_path / "other.jsonl", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"order": "random"},
        {"concurrency": 0},
        {"concurrency": True},
        {"max_cost": 0},
        {"longest_question": 1.5},
        {"stop_after_failures": -1},
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        BatchOptions(**options)
