"""The output of a batch: what its rows hold, their order, one that was lost, and one that cannot be written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from scripted import CALL, Asked, graph_of, read, row, write

from automix_graph.batch import BatchOptions, BatchProgress, arun_batch, run_batch
from automix_graph.errors import ConfigurationError

SMALL_ROW = {
    "id": 1,
    "question": "When was event 1?",
    "answer": "small 1",
    "route": "small",
    "confidence": 1.0,
    "verdict": "CORRECT",
    "degraded": False,
    "degraded_reason": None,
    "cost": pytest.approx(2 * CALL),
    "usage": {
        "calls": 2,
        "failed_calls": 0,
        "unpriced_calls": 0,
        "charged": pytest.approx(2 * CALL),
        "input_tokens": 200,
        "cached_input_tokens": 0,
        "output_tokens": 20,
        "reasoning_tokens": 0,
        "calls_without_usage": 0,
        "cost_at_least": pytest.approx(2 * CALL),
        "always_large_cost": pytest.approx(CALL),
        "always_large_estimated": True,
        "saved": pytest.approx(-CALL),
    },
    "sources": [{"id": "p0", "metadata": {"source": "p0"}}],
    "error": None,
}


def test_rows_tell_what_the_graph_told(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(3))
    report = run_batch(data, out, graph_of())
    first, second = read(out)
    assert len(first.pop("fingerprint")) == 32
    assert first == SMALL_ROW
    assert (second["answer"], second["route"], second["verdict"]) == ("large 3", "large", "INCORRECT")
    assert (report.complete, report.answered, report.asked, report.left, report.failed) == (True, 2, 2, 0, 0)
    assert (report.routes, report.escalated) == ({"small": 1, "large": 1}, 0.5)
    assert report.spent.cost == pytest.approx(5 * CALL)
    assert report.rejects is None
    assert sorted(path.name for path in out.parent.iterdir()) == [
        ".out.jsonl.journal.lock",
        "out.jsonl",
        "out.jsonl.journal",
    ]


def test_rows_hold_what_was_chosen(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    run_batch(data, out, graph_of(), options=BatchOptions(with_question=False, with_texts=True))
    (found,) = read(out)
    assert "question" not in found
    assert found["sources"] == [{"id": "p0", "metadata": {"source": "p0"}, "text": "Events happen."}]


@pytest.mark.parametrize("order", ["input", "completed"])
async def test_rows_stand_in_the_order_that_was_chosen(tmp_path: Path, out: Path, order: Any) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(4)))
    gates = [asyncio.Event() for _ in range(4)]
    graph = graph_of()

    class Gated:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            number = int(question["question"].removesuffix("?").split()[-1])
            await gates[number].wait()
            return await graph.ainvoke(question, config)

    seen: list[list[int]] = []

    def follow(progress: BatchProgress) -> None:
        seen.append([one["id"] for one in read(out)])
        if progress.done < 4:
            gates[3 - progress.done].set()

    await arun_batch(data, out, Gated(), options=BatchOptions(order=order, concurrency=4), progress=follow)
    assert seen[-1] == ([0, 1, 2, 3] if order == "input" else [3, 2, 1, 0])
    assert seen[:-1] == ([[], [], [], []] if order == "input" else [[], [3], [3, 2], [3, 2, 1]])


def test_an_output_that_was_lost_or_damaged_is_written_again(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    whole = out.read_bytes()
    for damaged in (b"", whole[:-7], whole[:40], whole + b"more\n", b"x" * len(whole)):
        out.write_bytes(damaged)
        assert run_batch(data, out, Asked().graph()).asked == 0
        assert out.read_bytes() == whole
    out.unlink()
    run_batch(data, out, Asked().graph())
    assert out.read_bytes() == whole


@pytest.mark.parametrize(
    ("data", "out", "message"),
    [
        ("none.jsonl", "out.jsonl", "'none.jsonl' cannot be read"),
        ("in.txt", "out.jsonl", "unknown ending"),
        ("blank.jsonl", "out.jsonl", "has no rows"),
        ("in.jsonl", "in.jsonl", "is both data set and output"),
        ("in.jsonl", "out.csv", "would be no JSON Lines"),
        ("in.jsonl", "kept.jsonl", "is there without its journal"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("in.jsonl"), row(1))
    Path("in.txt").write_text("")
    Path("blank.jsonl").write_text("\n \n")
    Path("kept.jsonl").write_text("mine\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match=message):
        run_batch(data, out, graph_of())
    assert sorted(tmp_path.iterdir()) == before
    assert Path("kept.jsonl").read_text() == "mine\n"
