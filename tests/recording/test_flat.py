"""Records as a Parquet table."""

import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from scripts import reply, row, tiers_of, write

from automix_graph.errors import ConfigurationError, MissingExtraError
from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import record_dataset, write_parquet
from automix_graph.testing.chat_models import Reply


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Record two rows, one of which fails."""

    def small(prompt: str) -> Reply:
        return ConnectionError("down") if "event 2" in prompt else reply("June")

    data = write(tmp_path / "data.jsonl", row(1, question="When was event 1? \ud800"), row(2))
    record_dataset(data, tmp_path / "records.jsonl", tiers_of(small=small), concurrency=1)
    return tmp_path / "records.jsonl"


def test_the_table_holds_the_numbers_and_the_records(records: Path, tmp_path: Path) -> None:
    written = write_parquet(records, tmp_path / "table.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "table.parquet").to_pylist()
    first, second = table
    assert {name: first[name] for name in ("id", "question", "answers", "small_answer", "large_answer", "error")} == {
        "id": "1",
        "question": "When was event 1? ?",
        "answers": ["May"],
        "small_answer": "June",
        "large_answer": "May",
        "error": None,
    }
    assert (first["small_score"], first["large_score"], first["scorer"]) == (0.0, 1.0, "auto")
    assert (first["verdict"], first["confidence"], first["method"], first["route"]) == (
        "INCORRECT",
        0.0,
        "short-verdict",
        None,
    )
    assert first["cost"] == pytest.approx(330e-6)
    assert first["always_large_cost"] == pytest.approx(110e-6)
    for stage in ("small_answer", "verify", "large_answer"):
        assert first[f"{stage}_cost"] == pytest.approx(110e-6)
        assert (first[f"{stage}_input_tokens"], first[f"{stage}_output_tokens"]) == (100, 10)
        assert first[f"{stage}_seconds"] >= 0
    assert second["error"] == "the small model gave no answer: ConnectionError"
    unknown = ("small_score", "confidence", "cost", "small_answer", "small_answer_input_tokens", "verify_cost")
    assert [second[name] for name in unknown] == [None] * len(unknown)
    assert second["large_answer_cost"] == pytest.approx(110e-6)
    found = read_records(tmp_path / "table.parquet")
    assert (found.rows, found.settings, found.described) == (written.rows, written.settings, written.described)
    assert read_records(records).rows == found.rows


def test_a_table_that_is_there_is_replaced_in_one_step(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "table.parquet"
    out.write_bytes(b"old")
    with pytest.raises(Exception, match="cannot be read"):
        write_parquet(tmp_path / "none.jsonl", out)
    assert out.read_bytes() == b"old"
    write_parquet(records, out)
    assert len(read_records(out).rows) == 2
    assert sorted(path.name for path in tmp_path.iterdir() if "table" in path.name) == ["table.parquet"]


def test_a_table_that_cannot_be_written_is_named(records: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"table '.*none/table.parquet' cannot be written: .*No such file"):
        write_parquet(records, tmp_path / "none" / "table.parquet")


def test_without_pyarrow_the_extra_is_named(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="evaluation"):
        write_parquet(records, tmp_path / "table.parquet")
