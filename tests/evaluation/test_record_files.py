"""Files of records, as they are read."""

import json
from pathlib import Path

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import read_records
from automix_graph.records import Record, Recorded

HEAD = json.dumps({"fingerprint": "f", "settings": {"k": 4}})


def line(id_: str, **values: object) -> str:
    return Recorded(id=id_, **{"settings": "f", **values}).to_json()  # type: ignore[arg-type]  # fields of any kind


def file_of(tmp_path: Path, *lines: str, end: str = "\n") -> Path:
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    return path


def test_the_last_line_of_an_id_counts_at_the_place_of_the_first(tmp_path: Path) -> None:
    path = file_of(tmp_path, HEAD, line("a", error="down"), line("b"), line("a"), line("c", error="no"), "")
    found = read_records(path)
    assert [(row.id, row.error) for row in found.rows] == [("a", None), ("b", None), ("c", "no")]
    assert (found.settings, found.described, found.replaced, found.unfinished) == ("f", {"k": 4}, 1, False)
    assert [row.id for row in found.failed] == ["c"]


def test_a_file_without_settings(tmp_path: Path) -> None:
    found = read_records(file_of(tmp_path, line("a", settings=""), line("b", settings="")))
    assert (len(found.rows), found.settings, found.described) == (2, None, {})


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read_records(file_of(tmp_path, end="")).rows == ()


@pytest.mark.parametrize("kept", [1, 20, 60])
def test_an_unfinished_last_line_is_left_out(tmp_path: Path, kept: int) -> None:
    path = file_of(tmp_path, HEAD, line("a"), line("b")[:kept], end="")
    found = read_records(path)
    assert ([row.id for row in found.rows], found.unfinished) == (["a"], True)


def test_a_whole_last_line_needs_no_line_feed(tmp_path: Path) -> None:
    found = read_records(file_of(tmp_path, HEAD, line("a"), end=""))
    assert ([row.id for row in found.rows], found.unfinished) == (["a"], False)


def test_bom_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEAD}\r\n\r\n{line('a')}\r\n".encode())
    assert [row.id for row in read_records(path).rows] == ["a"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEAD, line("a"), "{", line("b")], "hold no JSON at line 3"),
        ([HEAD, "[]", line("b")], "hold a list at line 2"),
        ([HEAD, line("a"), '{"id": "b"}'], "hold no record at line 3"),
        ([HEAD, line("a"), line("b", settings="g")], "mix settings: line 3"),
    ],
)
def test_what_is_no_record_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_records(file_of(tmp_path, *lines))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_records(tmp_path / "none.jsonl")


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    data = json.loads(line("a", record=Record(question="Q", language="en", prompts="p")))
    data["record"]["schema_version"] = 99
    with pytest.raises(ConfigurationError, match=r"line 1: .*schema_version 99"):
        read_records(file_of(tmp_path, json.dumps(data)))


def test_a_parquet_file_without_records_is_refused(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"id": [1]}), tmp_path / "table.parquet")
    with pytest.raises(ConfigurationError, match="lack the column 'record'"):
        read_records(tmp_path / "table.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigurationError, match="cannot be read as Parquet"):
        read_records(tmp_path / "broken.parquet")
