"""Working folders go with their process, and those of killed processes with the next one."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from automix_graph.retrieval.workspace import make_workspace, remove_left_behind

HOLDS = (
    "import sys, tempfile, time; from contextlib import ExitStack\n"
    "from automix_graph.retrieval.workspace import make_workspace\n"
    "tempfile.tempdir = sys.argv[1]\n"
    "until = ExitStack(); print(make_workspace(until), flush=True); time.sleep(60)"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    remove_left_behind.cache_clear()
    return tmp_path


def age(folder: Path, seconds: float) -> None:
    os.utime(folder, (time.time() - seconds, time.time() - seconds))


def test_a_folder_goes_with_its_holder(temporary: Path) -> None:
    with ExitStack() as until:
        folder = make_workspace(until)
        (folder / "passages.sqlite").write_text("x")
        assert list(temporary.iterdir()) == [folder]
    assert not list(temporary.iterdir())


def test_what_a_killed_process_has_left_is_removed_and_what_a_living_one_holds_is_not(temporary: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", HOLDS, str(temporary)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    killed, living = (Path(process.stdout.readline().strip()) for process in processes if process.stdout)
    processes[0].kill()
    processes[0].wait()
    for folder in (killed, living):
        age(folder, 60)
    remove_left_behind(str(temporary))
    assert [folder.exists() for folder in (killed, living)] == [False, True]
    processes[1].kill()
    for process in processes:
        process.communicate()


def test_a_folder_that_may_not_have_its_lock_yet_and_those_of_others_are_left_alone(temporary: Path) -> None:
    young, other = temporary / "automix-work-young", temporary / "somebody-elses"
    for folder in (young, other):
        folder.mkdir()
    age(other, 60)
    remove_left_behind(str(temporary))
    assert young.exists() and other.exists()


def test_folders_of_other_users_and_links_are_not_touched(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, link, other = temporary / "elsewhere", temporary / "automix-work-link", temporary / "automix-work-other"
    for folder in (target, other):
        folder.mkdir()
        (folder / ".lock").write_text("theirs")
        age(folder, 60)
    link.symlink_to(target)
    monkeypatch.setattr(os, "getuid", lambda: other.stat().st_uid + 1)
    remove_left_behind(str(temporary))
    assert [(folder / ".lock").read_text() for folder in (link, other)] == ["theirs", "theirs"]
    monkeypatch.undo()
    remove_left_behind.cache_clear()
    os.utime(link, (time.time() - 60,) * 2, follow_symlinks=False)
    remove_left_behind(str(temporary))
    assert (target / ".lock").read_text() == "theirs"
    assert not other.exists()
