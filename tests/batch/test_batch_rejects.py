"""The file of rejected rows: nothing but such a file is replaced or deleted, and two outputs share none."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import Asked, read, row, write

from automix_graph.batch import BatchOptions, run_batch
from automix_graph.errors import ConfigurationError

BAD = "no json"


@pytest.mark.parametrize("rows", [[row(1)], [row(1), BAD]])
@pytest.mark.parametrize(
    "content", [b"notes of a year\n", b'{"line":1}\n', b'{"id":1,"question":"When?"}\n', b"[1]\n", b"\n", b"\xff"]
)
def test_a_file_of_something_else_stays_and_nobody_is_asked(
    tmp_path: Path, out: Path, rows: list[object], content: bytes
) -> None:
    notes, asked = tmp_path / "notes.jsonl", Asked()
    notes.write_bytes(content)
    with pytest.raises(ConfigurationError, match="holds something else than rows that a batch rejected") as told:
        run_batch(write(tmp_path / "in.jsonl", *rows), out, asked.graph(), options=BatchOptions(rejects=notes))
    assert told.value.code == "file-of-something-else"
    assert (notes.read_bytes(), asked.numbers, out.exists()) == (content, [], False)


def test_a_folder_is_refused(tmp_path: Path, out: Path) -> None:
    options = BatchOptions(rejects=tmp_path)
    with pytest.raises(ConfigurationError, match="give another file"):
        run_batch(write(tmp_path / "in.jsonl", row(1)), out, Asked().graph(), options=options)


@pytest.mark.parametrize("empty", [True, False])
def test_an_empty_file_and_one_of_an_earlier_run_are_replaced(tmp_path: Path, out: Path, empty: bool) -> None:
    rejects = tmp_path / "bad.jsonl"
    options = BatchOptions(rejects=rejects)
    if empty:
        rejects.touch()
    else:
        run_batch(write(tmp_path / "in.jsonl", BAD, row(1)), out, Asked().graph(), options=options)
    run_batch(write(tmp_path / "in.jsonl", row(1), BAD), out, Asked().graph(), options=options)
    assert [one["line"] for one in read(rejects)] == [2]
    run_batch(write(tmp_path / "in.jsonl", row(1)), out, Asked().graph(), options=options)
    assert not rejects.exists()


def test_outputs_with_other_endings_share_no_file_of_rejects(tmp_path: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), BAD)
    names = ["a.jsonl", "a.txt", "a.ndjson", "a", "a.JSONL"]
    found = [run_batch(data, tmp_path / name, Asked().graph()).rejects for name in names]
    told = ["a.rejects.jsonl", "a.txt.rejects", "a.ndjson.rejects", "a.rejects", "a.JSONL.rejects"]
    assert [path and path.name for path in found] == told
