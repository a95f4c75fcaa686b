import os
from pathlib import Path

import pytest

from automix_graph.files import replace_file, replacing


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("before", [None, b"old, and longer than what comes"])
def test_a_file_is_replaced_by_what_was_written(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_bytes(before)
    replace_file(path, b"new\n")
    assert held(tmp_path) == {"a.txt": b"new\n"}


def test_until_it_is_whole_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with replacing(path) as fresh:
        assert fresh.parent == tmp_path
        assert not fresh.exists()
        fresh.write_bytes(b"half")
        assert path.read_bytes() == b"old"
    assert held(tmp_path) == {"a.txt": b"half"}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("begun", [True, False])
def test_what_stops_half_way_leaves_the_old_one(tmp_path: Path, error: BaseException, begun: bool) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write() -> None:
        with replacing(path) as fresh:
            if begun:
                fresh.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert held(tmp_path) == {"a.txt": b"old"}


def test_it_is_on_disk_before_it_takes_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: told.append(f"synced {os.fstat(descriptor).st_size} bytes"))
    monkeypatch.setattr(os, "replace", lambda *paths: (told.append("replaced"), replace(*paths)))
    replace_file(tmp_path / "a.txt", b"12345")
    assert told == ["synced 5 bytes", "replaced"]


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    # The inner block ends first.
    assert held(tmp_path) == {"a.txt": b"first"}


def test_what_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "a.txt", b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        replace_file(tmp_path / "file" / "a.txt", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "folder", b"")
    assert held(tmp_path) == {"file": b""}
    assert list((tmp_path / "folder").iterdir()) == []
