from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.tables import read_labels


def test_labels_are_read_from_every_kind_of_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('q,n\n"Where, then?",1\n 7 ,2\n')
    (tmp_path / "t.jsonl").write_text('{"q": "Where, then?"}\n{"q": 7}\n')
    pyarrow.parquet.write_table(pyarrow.table({"q": ["Where, then?", "7"]}), tmp_path / "t.parquet")
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        assert read_labels(tmp_path / name, "q") == ["Where, then?", "7"]


@pytest.mark.parametrize("cell", ['""', "null", "true", "[1]"])
def test_a_row_without_a_label_is_refused(cell: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"q": "a"}}\n{{"q": {cell}}}\n')
    with pytest.raises(ConfigurationError, match="at line 2; give a text or a number"):
        read_labels(tmp_path / "t.jsonl", "q")


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("q\na\n")
    with pytest.raises(ConfigurationError, match="no column 'topic'"):
        read_labels(tmp_path / "t.csv", "topic")
