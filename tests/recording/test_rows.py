"""Data sets: what is read, what is listed, what is refused."""

import csv
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.recording.row_files import read_rows
from automix_graph.recording.rows import BadRow, Row, Rows, answerable


def test_lines_with_bom_crlf_blank_lines_and_no_last_line_feed(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": 1, "question": "When?", "answers": "May"}\r\n\r\n   \n'
        b'{"id": "b", "question": "Who?", "answers": ["Ada", " ", 7], "context": ["One.", "Two."], "other": {}}'
    )
    assert read_rows(path) == Rows(
        rows=(
            Row(id="1", question="When?", answers=("May",)),
            Row(id="b", question="Who?", answers=("Ada", "7"), context=("One.", "Two.")),
        )
    )


@pytest.mark.parametrize(
    "answers", ["", ', "answers": null', ', "answers": []', ', "answers": ""', ', "answers": [""]']
)
def test_gold_answers_may_be_missing(tmp_path: Path, answers: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f'{{"id": 1, "question": "When?"{answers}, "context": ""}}\n')
    assert read_rows(path).rows == (Row(id="1", question="When?", answers=(), context=None),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is no JSON"),
        ("[1]", "it is a JSON list; give an object"),
        ('{"question": "Q"}', "id is missing"),
        ('{"id": true, "question": "Q"}', "id is True"),
        ('{"id": 1.5, "question": "Q"}', "id is 1.5"),
        ('{"id": " ", "question": "Q"}', "id is ' '"),
        ('{"id": 2}', "question is missing"),
        ('{"id": 2, "question": "  "}', "question is '  '"),
        ('{"id": 2, "question": ["Q"]}', "question is a list"),
        ('{"id": 2, "question": "Q", "answers": {"text": []}}', "answers hold a dict"),
        ('{"id": 2, "question": "Q", "context": [3]}', "context hold 3"),
        ("\xff", "it is no JSON"),
    ],
)
def test_a_bad_row_is_listed_and_the_rest_goes_on(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"id": 0, "question": "Q"}\n' + line.encode("latin-1") + b'\n{"id": 9, "question": "Q"}\n')
    found = read_rows(path)
    assert [row.id for row in found.rows] == ["0", "9"]
    assert [bad.place for bad in found.bad] == ["line 2"]
    assert reason in found.bad[0].reason


def test_the_same_id_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"id": 1, "question": "a"}\n\n{"id": "2", "question": "b"}\n{"id": "1", "question": "c"}\n')
    with pytest.raises(ConfigurationError, match="the id '1' at line 1 and at line 4"):
        read_rows(path)


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(
        "\ufeffid,question,answers,context,other\r\n"
        '1,When?,May,"It was\nin May.",x\r\n'
        '2,Who?,"[""Ada"", ""A. L.""]",,\r\n'
        "3,too,few\r\n"
        '4,[What],"[sic]",,\r\n'.encode()
    )
    assert read_rows(path) == Rows(
        rows=(
            Row(id="1", question="When?", answers=("May",), context=("It was\nin May.",)),
            Row(id="2", question="Who?", answers=("Ada", "A. L.")),
            Row(id="4", question="[What]", answers=("[sic]",)),
        ),
        bad=(BadRow(place="line 5", reason="it has 3 cells, but there are 5 columns; quote cells that hold commas"),),
    )


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    columns = {
        "id": [1, 2, None],
        "question": ["When?", "Who?", "What?"],
        "answers": [["May"], None, []],
        "context": [["One.", "Two."], None, None],
        "number": [1.0, 2.0, 3.0],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    found = read_rows(path)
    assert found.rows == (
        Row(id="1", question="When?", answers=("May",), context=("One.", "Two.")),
        Row(id="2", question="Who?"),
    )
    assert [bad.place for bad in found.bad] == ["row 3"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.txt", b"", "unknown ending; use one of .jsonl, .ndjson, .csv, .parquet"),
        ("data.jsonl", b"\n \n", "has no rows"),
        ("data.csv", b"number,question\n1,Q\n", "lacks the column 'id'; its columns are 'number', 'question'"),
        ("data.csv", b"id,id,question\n1,1,Q\n", "has the column 'id' more than once"),
        ("data.csv", b'id,question\n1,Q\n2,"Q\n', "is no CSV at line 3"),
        ("data.csv", b"id,question\n1,\xff\n", "is not UTF-8 text"),
        ("data.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        read_rows(tmp_path / name)


def test_the_fingerprint_is_that_of_all_that_matters() -> None:
    rows = [
        Row(id="1", question="Q"),
        Row(id="1", question="Q", answers=("a",)),
        Row(id="1", question="Q", answers=("a", "b")),
        Row(id="1", question="Q", context=("a",)),
        Row(id="1", question="Q", context=("a", "b")),
        Row(id="1", question="\ud800"),
    ]
    assert len({row.fingerprint for row in rows}) == len(rows)
    assert Row(id="1", question="Q").fingerprint == Row(id="2", question="Q").fingerprint


def test_numbers_as_pandas_writes_them_stay_the_same_ids(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"id": 12.0, "question": "Q"}))
    assert read_rows(path).rows[0].id == "12"


def test_without_an_index_every_row_needs_a_context() -> None:
    own, bare = Row(id="1", question="Q", context=("c",)), Row(id="2", question="Q")
    found = Rows(rows=(own, bare), bad=(BadRow(place="line 3", reason="r"),))
    assert answerable(found, use_context=True, retriever=True) == found
    listed = answerable(found, use_context=True, retriever=False)
    assert listed.rows == (own,)
    assert [bad.place for bad in listed.bad] == ["line 3", "id '2'"]
    ignored = answerable(found, use_context=False, retriever=True)
    assert [row.context for row in ignored.rows] == [None, None]
    with pytest.raises(ConfigurationError, match="give --index DIR"):
        answerable(Rows(rows=(bare,)), use_context=True, retriever=False)


def test_a_long_cell_of_csv_is_read_and_the_limit_of_the_process_stays(tmp_path: Path) -> None:
    usual = csv.field_size_limit()
    path, long = tmp_path / "data.csv", "x" * 200_000
    path.write_text(f"id,question\n1,{long}\n2,When?\n", encoding="utf-8")
    assert [row.question for row in read_rows(path).rows] == [long, "When?"]
    assert csv.field_size_limit() == usual == 131_072


def test_a_quote_of_csv_that_is_never_closed_is_no_endless_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automix_graph.recording.row_files.LONGEST_CELL", 1000)
    path = tmp_path / "data.csv"
    path.write_text('id,question\n1,When?\n2,"' + "x\n" * 2000, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"no CSV at line 3: field larger than field limit \(1000\)"):
        read_rows(path)
