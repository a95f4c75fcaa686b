"""Recording a data set: every row once, and nothing lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from scripts import MILLIONTH, Counting, reply, row, tiers_of, write

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import Progress, Spent, appending, arecord_dataset, record_dataset
from automix_graph.recording.report import Failed
from automix_graph.testing import StaticRetriever
from automix_graph.testing.chat_models import Reply


def test_every_row_is_recorded_and_scored(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2, answers=["June"]), row(3, answers=[]))
    told: list[Progress] = []
    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of(), concurrency=1, progress=told.append)
    assert (report.recorded, report.total, report.added, report.scored) == (3, 3, 3, 2)
    assert report.scores == {"small": 0.5, "large": 0.5}
    assert report.complete
    # Three questions of three calls, each of 110 tokens at 1 USD a million.
    assert report.spent.cost == pytest.approx(990 * MILLIONTH)
    assert report.spent == report.spent_now
    assert [(progress.done, progress.total, progress.failed) for progress in told] == [
        (0, 3, 0),
        (1, 3, 0),
        (2, 3, 0),
        (3, 3, 0),
    ]
    assert told[1].spent.cost == pytest.approx(330 * MILLIONTH)
    rows = {one.id: one for one in read_records(tmp_path / "out.jsonl").rows}
    assert rows["1"].scores == {"small": 0.0, "large": 1.0}
    assert rows["2"].scores == {"small": 1.0, "large": 0.0}
    assert (rows["3"].scores, rows["3"].scorer, rows["3"].error) == ({}, None, None)
    assert (rows["1"].scorer, rows["1"].answers) == ("auto", ("May",))
    record = rows["1"].record
    assert record is not None
    assert record.bill is not None
    assert record.bill.cost == pytest.approx(330 * MILLIONTH)
    assert [passage.text for passage in record.passages] == ["Event 1 was in May."]
    assert rows["1"].time is not None
    assert rows["1"].time.endswith("+00:00")


def test_the_same_call_does_the_rest_only(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2), row(3))
    out = tmp_path / "out.jsonl"
    record_dataset(data, out, tiers_of(), limit=2)
    small = Counting("June")
    report = record_dataset(data, out, tiers_of(small=small))
    assert (report.recorded, report.added, len(small.prompts)) == (3, 1, 1)
    assert "event 3" in small.prompts[0]
    assert report.spent.cost == pytest.approx(990 * MILLIONTH)
    assert report.spent_now.cost == pytest.approx(330 * MILLIONTH)
    report = record_dataset(data, out, tiers_of(small=small))
    assert (report.recorded, report.added, len(small.prompts)) == (3, 0, 1)
    assert report.scores == {"small": 0.0, "large": 1.0}
    assert report.spent_now == Spent()


@pytest.mark.parametrize("changed", [{"answers": ["June"]}, {"question": "Why was event 1?"}, {"context": "Other."}])
def test_a_changed_row_is_recorded_again(tmp_path: Path, changed: dict[str, Any]) -> None:
    out = tmp_path / "out.jsonl"
    record_dataset(write(tmp_path / "data.jsonl", row(1), row(2)), out, tiers_of())
    small = Counting("June")
    report = record_dataset(write(tmp_path / "data.jsonl", row(1, **changed), row(2)), out, tiers_of(small=small))
    assert (report.added, report.recorded, len(small.prompts)) == (1, 2, 1)
    found = read_records(out)
    assert ({one.id for one in found.rows}, found.replaced) == ({"1", "2"}, 1)


def test_a_row_that_failed_is_kept_listed_not_scored_and_tried_again(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(5)))
    out = tmp_path / "out.jsonl"

    def small(prompt: str) -> Reply:
        return ConnectionError("words of the provider") if "event 3" in prompt else reply("June")

    report = record_dataset(data, out, tiers_of(small=small))
    error = "the small model gave no answer: ConnectionError"
    assert report.failed == (Failed(id="3", error=error),)
    assert (report.recorded, report.scored, report.complete) == (4, 4, False)
    failed = read_records(out).failed[0]
    assert (failed.id, failed.error, failed.scores, failed.scorer) == ("3", error, {}, None)
    assert failed.record is not None
    assert [call.stage for call in failed.record.calls] == ["small_answer", "large_answer"]
    assert report.spent.cost is None  # what the failed call cost is not known
    assert report.spent.at_least == pytest.approx((4 * 330 + 110) * MILLIONTH)
    report = record_dataset(data, out, tiers_of())
    assert (report.recorded, report.added, report.failed, report.complete) == (5, 1, (), True)


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), {"id": 2}, row(3, context=None))
    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of())
    assert (report.recorded, report.total, report.complete) == (1, 1, False)
    assert [bad.place for bad in report.bad] == ["line 2", "id '3'"]


def test_a_context_takes_the_place_of_retrieval_unless_it_is_ignored(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1, context=["One.", "Two."]), row(2, context=None))
    tiers = tiers_of(retriever=StaticRetriever(["Found."]))
    report = record_dataset(data, tmp_path / "own.jsonl", tiers)
    assert report.own_context == 1
    record_dataset(data, tmp_path / "found.jsonl", tiers, use_context=False)

    def texts(name: str) -> dict[str, list[str]]:
        rows = read_records(tmp_path / name).rows
        return {one.id: [passage.text for passage in one.record.passages] for one in rows if one.record}

    assert texts("own.jsonl") == {"1": ["One.", "Two."], "2": ["Found."]}
    assert texts("found.jsonl") == {"1": ["Found."], "2": ["Found."]}


def test_no_more_questions_at_one_time_than_told(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number, context=None) for number in range(12)))
    now, most = 0, 0

    async def found(question: str) -> list[Document]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return [Document("In May.")]

    record_dataset(data, tmp_path / "out.jsonl", tiers_of(retriever=RunnableLambda(found)), concurrency=3)
    assert most == 3


@pytest.mark.parametrize("arguments", [{"concurrency": 0}, {"concurrency": True}, {"limit": 0}, {"scorer": "nope"}])
def test_arguments_are_checked_before_a_file_is_made(tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        record_dataset(write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl", tiers_of(), **arguments)
    assert not (tmp_path / "out.jsonl").exists()


async def test_in_an_event_loop_the_other_door_is_named(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1))
    with pytest.raises(ConfigurationError, match="await arecord_dataset"):
        record_dataset(data, tmp_path / "out.jsonl", tiers_of())
    assert (await arecord_dataset(data, tmp_path / "out.jsonl", tiers_of())).recorded == 1


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = write(tmp_path / "data.jsonl", *(row(number) for number in range(4))), tmp_path / "out.jsonl"
    sync, calls = appending.os.fsync, iter(range(100))

    def full(file: int) -> None:
        if next(calls) == 3:  # the settings and two records fit
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(appending.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device; make room, and run the same again") as told:
        record_dataset(data, out, tiers_of(), concurrency=1)
    assert told.value.code == "file-unwritable"
    monkeypatch.undo()
    report = record_dataset(data, out, tiers_of(), concurrency=1)
    assert (report.recorded, report.added) == (4, 2)


def test_a_disk_that_is_full_from_the_beginning_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    data = write(tmp_path / "data.jsonl", row(0))
    monkeypatch.setattr(appending.os, "fsync", full)
    for _ in range(2):  # nobody holds the file
        with pytest.raises(ConfigurationError, match="make room"):
            record_dataset(data, tmp_path / "out.jsonl", tiers_of())
