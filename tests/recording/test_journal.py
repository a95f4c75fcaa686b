"""The file of records while it grows: whole lines only, one writer, one configuration."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import appending
from automix_graph.recording.appending import append_line, closing, mend, open_for_appending
from automix_graph.recording.journal import Journal
from automix_graph.recording.settings import Settings
from automix_graph.records import Recorded

pytestmark = pytest.mark.integration

SETTINGS = Settings(described={"small": {"label": "a"}, "k": 4})


def recorded(id_: str, **values: object) -> Recorded:
    return Recorded(id=id_, settings=SETTINGS.fingerprint, **values)  # type: ignore[arg-type]  # fields of any kind


def test_lines_are_there_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.append(recorded("1"))
        assert [row.id for row in read_records(path).rows] == ["1"]
    head, line = path.read_text().splitlines()
    assert json.loads(head) == {"fingerprint": SETTINGS.fingerprint, "settings": {"small": {"label": "a"}, "k": 4}}
    assert Recorded.from_json(line) == recorded("1")


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.append(recorded("1", row="r1", error="down"))
        journal.append(recorded("1", row="r2", scores={"small": 0.5}))
        first = journal.entries
    with Journal(path, SETTINGS) as journal:
        assert journal.entries == first
        assert (journal.entries["1"].row, journal.entries["1"].error) == ("r2", None)
        assert (journal.replaced, journal.cut) == (1, 0)
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("left", [1, 30, 100])
def test_an_unfinished_line_is_cut_off_and_said(tmp_path: Path, left: int) -> None:
    path = tmp_path / "records.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.append(recorded("1"))
    whole = path.read_bytes()
    path.write_bytes(whole + recorded("2").to_json().encode()[:left])
    with Journal(path, SETTINGS) as journal:
        assert journal.cut == left
        assert list(journal.entries) == ["1"]
        assert path.read_bytes() == whole
        journal.append(recorded("2"))
    assert [row.id for row in read_records(path).rows] == ["1", "2"]


@pytest.mark.parametrize("left", [0, 1, 10, 40])
def test_an_unfinished_first_line_is_written_again(tmp_path: Path, left: int) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(SETTINGS.to_json()[:left])
    with Journal(path, SETTINGS) as journal:
        journal.append(recorded("1"))
    assert read_records(path).described == SETTINGS.described


def test_a_last_line_without_its_line_feed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{SETTINGS.to_json()}\n{recorded('1').to_json()}")
    with Journal(path, SETTINGS) as journal:
        assert journal.cut == 0
        journal.append(recorded("2"))
    assert [row.id for row in read_records(path).rows] == ["1", "2"]


@pytest.mark.parametrize(
    "content",
    [
        "my notes, without a line feed",
        '{"my": "notes", "without',
        '{"id": "1", "question": "a data set"}\n',
        f"{recorded('1').to_json()}\n",
        "[1]\n",
    ],
)
def test_somebody_elses_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"notes\.jsonl"):
        Journal(path, SETTINGS)
    assert path.read_text() == content


def test_another_configuration_is_refused_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    Journal(path, SETTINGS).close()
    other = Settings(described={"small": {"label": "b"}, "k": 4, "search": "bm25"})
    with pytest.raises(ConfigurationError) as refused:
        Journal(path, other)
    message = str(refused.value)
    assert "small.label is 'a' in the file, and 'b' now" in message
    assert "search is None in the file, and 'bm25' now" in message
    assert "k is" not in message
    assert "--out" in message


def test_a_record_of_another_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{SETTINGS.to_json()}\n{Recorded(id='1', settings='other').to_json()}\n")
    with pytest.raises(ConfigurationError, match="another configuration at line 2"):
        Journal(path, SETTINGS)


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{SETTINGS.to_json()}\n{{\n{recorded('1').to_json()}\n")
    with pytest.raises(ConfigurationError, match="at line 2"):
        Journal(path, SETTINGS)


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    link = tmp_path / "link.jsonl"
    with Journal(path, SETTINGS):
        link.symlink_to(path)
        for name in (path, link):
            with pytest.raises(ConfigurationError, match="another process is writing"):
                Journal(name, SETTINGS)
    Journal(path, SETTINGS).close()


def test_a_line_that_cannot_be_written_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records.jsonl"
    write = os.write
    with Journal(path, SETTINGS) as journal:
        journal.append(recorded("1"))
        before = path.read_bytes()
        monkeypatch.setattr(appending.os, "write", lambda file, data: write(file, data[:10]))
        with pytest.raises(ConfigurationError, match=r"only 10 of .* make room"):
            journal.append(recorded("2"))
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert list(journal.entries) == ["1"]


def test_each_line_is_one_write_and_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    write, sync = os.write, os.fsync

    def noted_write(file: int, data: bytes) -> int:
        done.append("write")
        return write(file, data)

    def noted_sync(file: int) -> None:
        done.append("sync")
        sync(file)

    with Journal(tmp_path / "records.jsonl", SETTINGS) as journal:
        monkeypatch.setattr(appending.os, "write", noted_write)
        monkeypatch.setattr(appending.os, "fsync", noted_sync)
        journal.append(recorded("1", error="x" * 100_000))
    assert done == ["write", "sync"]


def test_long_lines_are_mended_too(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"a":1}\n{"b":"' + b"x" * 200_000)
    with closing(open_for_appending(path)) as file:
        assert mend(file, path) == 200_006
        append_line(file, '{"c":2}')
    assert path.read_bytes() == b'{"a":1}\n{"c":2}\n'


WRITER = """
import sys
from automix_graph.recording.journal import Journal
from automix_graph.recording.settings import Settings
from automix_graph.records import Recorded
settings = Settings(described={"small": {"label": "a"}, "k": 4})
with Journal(sys.argv[1], settings) as journal:
    number = len(journal.entries)
    while True:
        journal.append(Recorded(id=str(number), settings=settings.fingerprint, error="x" * 300_000))
        number += 1
        print(number, flush=True)
"""


def test_a_killed_writer_leaves_what_it_has_said(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    said = 0
    for pause in (0.0, 0.011):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(3):
                said = int(process.stdout.readline())
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            said = max([said, *(int(line) for line in process.stdout if line.strip())])
        with Journal(path, SETTINGS) as journal:
            assert set(map(str, range(said))) <= set(journal.entries)
            assert len(journal.entries) - said <= 1  # one that was on disk, and not said
        found = read_records(path)
        assert [row.id for row in found.rows] == [str(number) for number in range(len(found.rows))]
        assert not found.unfinished
