"""The journal of a batch: who is not asked again, what a cancelled run leaves, and what is refused."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import CALL, Asked, graph_of, read, reply, row, write

from automix_graph.batch import BatchOptions, BatchProgress, arun_batch, run_batch
from automix_graph.batch.journal import BatchJournal
from automix_graph.errors import ConfigurationError


def test_the_same_call_asks_nobody_again(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    before = out.read_bytes()
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert asked.numbers == []
    assert (report.asked, report.answered, report.complete, report.spent_now.cost) == (0, 5, True, 0.0)
    assert report.routes == {"large": 2, "small": 3}
    assert report.spent.cost == pytest.approx(12 * CALL)
    assert out.read_bytes() == before


def test_rows_that_changed_or_came_new_are_asked_and_others_leave(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    write(data, row(4), {"id": 1, "question": "When was event 11?"}, row(0), row(7))
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert sorted(asked.numbers) == [7, 11]
    assert [(one["id"], one["answer"]) for one in read(out)] == [
        (4, "small 4"),
        (1, "small 11"),
        (0, "large 0"),
        (7, "small 7"),
    ]
    assert (report.total, report.asked) == (4, 2)


def test_another_configuration_is_refused_with_what_differs(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    settings = {"small": {"label": "a"}, "k": 4}
    run_batch(data, out, graph_of(), settings=settings)
    before = {path: path.read_bytes() for path in out.parent.iterdir()}
    with pytest.raises(ConfigurationError) as refused:
        run_batch(data, out, graph_of(), settings={"small": {"label": "b"}, "k": 4})
    message = str(refused.value)
    assert "small.label is 'a' in the file, and 'b' now" in message
    assert "k is" not in message
    assert "delete this file and the output to begin anew" in message
    with pytest.raises(ConfigurationError, match=r"rows\.texts is False in the file, and True now"):
        run_batch(data, out, graph_of(), settings=settings, options=BatchOptions(with_texts=True))
    assert {path: path.read_bytes() for path in out.parent.iterdir()} == before


async def test_what_is_done_when_it_is_cancelled_is_in_the_output(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(40)))
    halfway = asyncio.Event()
    graph = graph_of(lambda number: reply("small", seconds=0.001))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 10:
            halfway.set()

    task = asyncio.create_task(arun_batch(data, out, graph, options=BatchOptions(concurrency=4), progress=follow))
    await halfway.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = read(out)
    journal = [json.loads(line) for line in Path(f"{out}.journal").read_bytes().splitlines()[1:]]
    assert {one["id"] for one in done} == {one["id"] for one in journal}
    assert 10 <= len(done) < 40
    assert [one["id"] for one in done] == sorted(one["id"] for one in done)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    asked = Asked()
    report = await arun_batch(data, out, asked.graph())
    assert report.complete
    assert len(asked.numbers) == 40 - len(done)
    assert [one["id"] for one in read(out)] == list(range(40))


async def test_a_row_that_is_being_written_when_it_is_cancelled_is_in_the_output(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    writing = threading.Event()
    append = BatchJournal.append

    def slowly(journal: BatchJournal, lines: bytes) -> int:
        writing.set()
        time.sleep(0.1)
        return append(journal, lines)

    monkeypatch.setattr(BatchJournal, "append", slowly)
    task = asyncio.create_task(arun_batch(data, out, graph_of()))
    await asyncio.to_thread(writing.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one["id"] for one in read(out)] == [1]


def test_an_unfinished_last_line_is_asked_again_and_said(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(2))
    run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1))
    whole = out.read_bytes()
    journal = Path(f"{out}.journal")
    journal.write_bytes(journal.read_bytes()[:-9])
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert report.cut == len(whole.splitlines()[1]) + 1 - 9
    assert asked.numbers == [2]
    assert out.read_bytes() == whole


def test_somebody_elses_journal_is_refused(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    out.parent.mkdir()
    Path(f"{out}.journal").write_text('{"id": 1}\n')
    with pytest.raises(ConfigurationError, match="something else than answers that 'automix batch' wrote"):
        run_batch(data, out, graph_of())


@pytest.mark.parametrize(
    "damage", [{"fingerprint": "zz"}, {"fingerprint": "00"}, {"usage": None}, {"usage": {"cost_at_least": "much"}}]
)
def test_a_journal_with_a_damaged_row_is_refused_with_its_line(
    tmp_path: Path, out: Path, damage: dict[str, Any]
) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    run_batch(data, out, graph_of())
    journal = Path(f"{out}.journal")
    head, line = journal.read_text().splitlines()
    write(journal, head, {**json.loads(line), **damage})
    with pytest.raises(ConfigurationError, match="holds no row at line 2"):
        run_batch(data, out, graph_of())


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from automix_graph.recording import appending

    data = write(tmp_path / "in.jsonl", *map(row, range(6)))
    run_batch(write(tmp_path / "first.jsonl", row(0), row(1)), out, graph_of())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(appending.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device; make room"):
        run_batch(data, out, graph_of())
    monkeypatch.undo()
    asked = Asked()
    assert run_batch(data, out, asked.graph()).complete
    assert sorted(asked.numbers) == [2, 3, 4, 5]
