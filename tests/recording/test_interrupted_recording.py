"""Recordings that are cancelled, killed or end in a mistake: what was done is kept, and the rest is done later."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scripts import reply, row, tiers_of, write

from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import arecord_dataset, record_dataset
from automix_graph.testing.chat_models import Reply

pytestmark = pytest.mark.integration


async def test_what_is_done_when_it_is_cancelled_is_on_disk(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(50)))
    out = tmp_path / "out.jsonl"

    def slow(prompt: str) -> Reply:
        time.sleep(0.02)
        return reply("June")

    task = asyncio.create_task(arecord_dataset(data, out, tiers_of(small=slow), concurrency=2))
    while not out.exists() or len(read_records(out).rows) < 4:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = len(read_records(out).rows)
    assert 4 <= done < 50
    report = await arecord_dataset(data, out, tiers_of())
    assert (report.recorded, report.added) == (50, 50 - done)


def test_a_mistake_in_code_stops_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(5)))

    def small(prompt: str) -> Reply:
        assert "event 3" not in prompt, "a mistake"
        return reply("June")

    with pytest.raises(AssertionError, match="a mistake"):
        record_dataset(data, tmp_path / "out.jsonl", tiers_of(small=small), concurrency=1)
    assert [one.id for one in read_records(tmp_path / "out.jsonl").rows] == ["0", "1", "2"]


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[3])
from scripts import reply, tiers_of
from automix_graph.recording import record_dataset
def small(prompt):
    time.sleep(0.002)
    return reply("June")
def tell(progress):
    print(progress.done, flush=True)
record_dataset(sys.argv[1], sys.argv[2], tiers_of(small=small), concurrency=4, progress=tell)
"""


def test_a_killed_run_goes_on_and_records_every_row_once(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(60)))
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-c", KILLED, str(data), str(out), str(Path(__file__).parent)]
    for target in (7, 41):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= target:
                    break
            process.kill()
        assert target <= len(read_records(out).rows) < 60
    report = record_dataset(data, out, tiers_of())
    assert report.complete
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(int(line["id"]) for line in lines[1:]) == list(range(60))
