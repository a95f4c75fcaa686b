"""Data sets of batches: tables, lines and rows that are rejected, and what changes while a batch runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import graph_of, read, row, write

from automix_graph.batch import BatchOptions, BatchProgress, Rejected, run_batch
from automix_graph.errors import ConfigurationError
from automix_graph.recording import row_files


def test_bad_rows_are_listed_and_the_rest_goes_on(tmp_path: Path, out: Path) -> None:
    data = tmp_path / "in.jsonl"
    data.write_bytes(
        b'{"id": 1, "question": "When was event 1?"}\n{"id": 2,\n\n{"id": 3}\n{"id": 4, "question": " "}\n'
        b'{"id": "1", "question": "When was event 5?"}\n{"id": 6, "question": "\xff"}\n'
        b'{"id": 7, "question": "When was event 7, the long one?"}\n[8]\n{"question": "When was event 9?"}'
    )
    report = run_batch(data, out, graph_of(), options=BatchOptions(longest_question=20))
    assert [one["id"] for one in read(out)] == [1, 10]
    rejects = read(out.with_name("out.rejects.jsonl"))
    assert [one["line"] for one in rejects] == [2, 4, 5, 6, 7, 8, 9]
    reasons = [one["reason"] for one in rejects]
    assert reasons[0].startswith("it is no JSON")
    assert reasons[1] == "question is missing; give a text that is not blank"
    assert reasons[2] == "question is ' '; give a text that is not blank"
    assert reasons[3] == "id '1' is there already, at line 1; give each row an id of its own"
    assert "'utf-8' codec can't decode byte 0xff" in reasons[4]
    assert reasons[5] == "question has 31 characters, and 20 are allowed; shorten it"
    assert reasons[6] == "it is a JSON list; give an object"
    assert [one["text"] for one in rejects][::5] == [
        '{"id": 2,',
        '{"id": 7, "question": "When was event 7, the long one?"}',
    ]
    assert rejects[4]["text"] == '{"id": 6, "question": "\\xff"}'
    assert (report.rejected, report.total, report.complete) == (7, 2, False)
    assert report.first_rejected[6] == Rejected(line=9, reason=reasons[6], text="[8]")
    assert report.rejects == out.with_name("out.rejects.jsonl")


def test_a_line_that_is_too_long_is_rejected_and_the_next_one_is_not(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_files, "LONGEST_LINE", 60)
    data = write(tmp_path / "in.jsonl", {**row(1), "more": "x" * 500}, row(2), "y" * 59, "z" * 60)
    report = run_batch(data, out, graph_of())
    assert [one["id"] for one in read(out)] == [2]
    assert [(one.line, one.reason[:27]) for one in report.first_rejected] == [
        (1, "it is longer than 60 bytes;"),
        (3, "it is no JSON: Expecting va"),
        (4, "it is longer than 60 bytes;"),
    ]


def test_a_long_cell_of_csv_is_rejected_and_the_next_row_is_not(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.csv", "id,question", f"1,{'x' * 200_000}", "2,When was event 2?")
    report = run_batch(data, out, graph_of())
    assert [one["id"] for one in read(out)] == ["2"]
    assert [(one.line, one.reason[:33]) for one in report.first_rejected] == [(2, "question has 200000 characters, a")]


def test_the_file_of_rejects_is_that_of_the_last_run(tmp_path: Path, out: Path) -> None:
    rejects = tmp_path / "bad" / "rows.jsonl"
    options = BatchOptions(rejects=rejects)
    data = write(tmp_path / "in.jsonl", row(1), "{")
    run_batch(data, out, graph_of(), options=options)
    assert [one["line"] for one in read(rejects)] == [2]
    run_batch(write(data, row(1), row(2)), out, graph_of(), options=options)
    assert list(rejects.parent.iterdir()) == []


def test_a_data_set_that_changes_meanwhile_ends_the_run(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *({**row(n), "more": "x" * 10_000} for n in range(9)))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 2:
            write(data, row(0), row(1), *["{"] * 50_000)

    with pytest.raises(ConfigurationError, match="has changed at line"):
        run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1), progress=follow)
    assert len(read(out)) >= 2


def test_rows_that_are_added_meanwhile_wait_for_the_next_run(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(2))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 1:
            write(data, row(1), row(2), row(4))

    assert run_batch(data, out, graph_of(), progress=follow).total == 2
    assert [one["id"] for one in read(out)] == [1, 2]
    assert run_batch(data, out, graph_of()).asked == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_read_too(tmp_path: Path, out: Path, suffix: str) -> None:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.table({"id": ["a", "b"], "question": ["When was event 1?", " "], "other": [1.5, 2.5]})
    data = tmp_path / f"in{suffix}"
    (pyarrow.csv.write_csv if suffix == ".csv" else pyarrow.parquet.write_table)(table, data)
    report = run_batch(data, out, graph_of())
    assert [(one["id"], one["answer"]) for one in read(out)] == [("a", "small 1")]
    assert [(one.line, one.text) for one in report.first_rejected] == [(3 if suffix == ".csv" else 2, None)]
