"""A file of records that cannot be written: who is asked meanwhile, and when work goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from filelock import Timeout

from automix_graph import Background
from automix_graph.costs import Prices
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import read_records
from automix_graph.graph.all_tiers import Run
from automix_graph.graph.behind import Job
from automix_graph.recording import appending
from automix_graph.records import Record, Recorded
from automix_graph.shadow.live_file import LiveFile
from automix_graph.shadow.outage import Outage

RECORD = Record(question="When?", language="en", prompts="")


class Disk:
    """Lets a file grow to a size, and fails as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        sync = appending.os.fsync

        def fsync(file: int) -> None:
            if appending.os.lseek(file, 0, appending.os.SEEK_END) > self.room:
                raise OSError(28, "No space left on device")
            sync(file)

        monkeypatch.setattr(appending.os, "fsync", fsync)


def offered(background: Background, asked: list[int], count: int) -> None:
    def asks(record: Record) -> Run:
        asked.append(len(asked))
        return Run(record=record)

    for _ in range(count):
        job = Job(id=str(len(asked)), origin="audit", rate=1.0, record=RECORD, complete=asks, prices=Prices())
        background.offer(job)
        assert background.flush(30)


def test_nobody_is_asked_until_the_file_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = len(Recorded(id="0", record=RECORD).to_json())
    disk = Disk(monkeypatch, room=line + 100)  # for one
    background, asked = Background(records=tmp_path / "r.jsonl"), []
    offered(background, asked, 10)
    counts = background.counts
    assert (counts.recorded, counts.lost, counts.unwritable, len(asked)) == (1, 1, 8, 2)
    before = background.path.read_bytes()
    background._work._outage._until = 0.0  # a minute later the disk is still full
    offered(background, asked, 3)
    assert (background.counts.unwritable, len(asked), background.path.read_bytes()) == (11, 2, before)
    background._work._outage._until = 0.0
    disk.room = 1_000_000
    offered(background, asked, 3)
    assert (background.counts.recorded, background.counts.lost, background.counts.unwritable) == (4, 1, 11)
    assert len(read_records(background.path).rows) == 4 and len(asked) == 5
    assert [record.message.split(" ", 1)[0] for record in caplog.records] == ["questions", str(background.path)]
    assert caplog.messages[1].endswith("so far 11 were passed over, 1 lost")


def test_a_file_that_cannot_be_read_for_what_was_spent_is_paid_for_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    background, asked = Background(records=tmp_path / "r.jsonl"), []

    def held(_: object) -> float:
        raise Timeout("r.jsonl")

    monkeypatch.setattr(LiveFile, "catch_up", held)
    offered(background, asked, 3)
    assert (background.counts.unwritable, background.counts.lost, asked) == (3, 0, [])


@pytest.mark.parametrize("error", [OSError("full"), Timeout("r"), ConfigurationError("gone")])
def test_the_file_is_tested_for_the_longest_line_once_in_a_while(error: Exception) -> None:
    now, sizes, fails = 0.0, [], True

    def test(size: int) -> None:
        sizes.append(size)
        if fails:
            raise error

    outage = Outage(test, pause=10.0, clock=lambda: now)
    assert not outage.lasts() and not outage.pauses
    outage.begin(70)
    outage.begin(50)
    assert outage.lasts() and outage.pauses and sizes == []
    now = 10.0
    assert not outage.pauses and outage.lasts() and sizes == [70]
    now = 19.0
    assert outage.lasts() and sizes == [70]
    now, fails = 20.0, False
    assert not outage.lasts() and sizes == [70, 70]
    assert not outage.lasts() and sizes == [70, 70]


def test_a_test_leaves_nothing_and_what_a_killed_one_leaves_is_cut_off(tmp_path: Path, monkeypatch: Any) -> None:
    file = LiveFile(tmp_path / "r.jsonl")
    file.append(Recorded(id="a", record=RECORD))
    before = file.path.read_bytes()
    file.test(1000)
    assert file.path.read_bytes() == before
    with monkeypatch.context() as killed:
        killed.setattr("automix_graph.shadow.live_file.os.ftruncate", lambda *_: None)
        file.test(1000)
    assert len(file.path.read_bytes()) == len(before) + 1000
    file.append(Recorded(id="b", record=RECORD))
    assert [row.id for row in read_records(file.path).rows] == ["a", "b"]
