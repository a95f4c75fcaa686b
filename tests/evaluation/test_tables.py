import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from automix_graph.errors import ConfigurationError, MissingExtraError
from automix_graph.evaluation import TierColumns, read_outcomes
from automix_graph.evaluation.tables import read_columns
from automix_graph.evaluation.tier_columns import parse_cost

CSV = "id,s_ok,s_conf,usd,l_ok\na,1,0.9,0.001,true\nb,0,0.2,2e-3,False\n"
SMALL = TierColumns(name="small", quality="s_ok", cost=1.0, confidence="s_conf")
LARGE = TierColumns(name="large", quality="l_ok", cost=20.0)


def write(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, *names: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_columns(path, names)
    return str(caught.value)


def test_csv_is_read(tmp_path: Path) -> None:
    quoted = '\ufeff"s_ok",text,"l, ok"\n1,"two\nlines, and a comma",0.5\n\n 0 ,,TRUE\n'
    found = read_columns(write(tmp_path, quoted), ["s_ok", "l, ok", "s_ok"])
    assert {name: column.tolist() for name, column in found.items()} == {"s_ok": [1, 0], "l, ok": [0.5, 1]}


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "JSONL"])
def test_json_lines_are_read(tmp_path: Path, ending: str) -> None:
    rows = [{"s_ok": True, "x": None}, {"x": [1], "s_ok": 0.5}]
    path = write(tmp_path, "\n\n".join(map(json.dumps, rows)) + "\n", f"t.{ending}")
    assert read_columns(path, ["s_ok"])["s_ok"].tolist() == [1.0, 0.5]


def test_parquet_is_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"ok": [True, False], "usd": [Decimal("0.10"), Decimal("0.25")], "n": [1, 2], "text": ["a", None]}
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table(columns), path)
    found = read_columns(path, ["ok", "usd", "n"])
    assert {name: column.tolist() for name, column in found.items()} == {"ok": [1, 0], "usd": [0.1, 0.25], "n": [1, 2]}
    assert "holds 'a' at row 0" in refused(path, "text")
    assert "no column 'x'; its columns are: 'ok', 'usd', 'n', 'text'" in refused(path, "x")
    assert "is no Parquet file" in refused(write(tmp_path, "no", "u.parquet"), "x")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"automix-graph\[evaluation\]"):
        read_columns(write(tmp_path, "no", "t.parquet"), ["x"])


def test_csv_and_json_lines_do_not_need_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert read_columns(write(tmp_path, CSV), ["s_ok"])["s_ok"].size == 2
    assert read_columns(write(tmp_path, '{"a": 1}', "t.jsonl"), ["a"])["a"].size == 1


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("t.csv", CSV, "has no column 'x'; its columns are: 'id', 's_ok', 's_conf', 'usd', 'l_ok'"),
        ("t.csv", "", "has no column 'x'; its columns are: none"),
        ("t.csv", "x,y\n", "has no rows"),
        ("t.csv", "x\n1\nhigh\n", "column 'x' of table .* holds 'high' at line 3; give a number"),
        ("t.csv", "x,y\n,1\n", "holds '' at line 2"),
        ("t.csv", "x\nnan\n", "holds 'nan' at line 2"),
        ("t.csv", "x\n-inf\n", "holds '-inf' at line 2"),
        ("t.csv", "x,y\n1\n", "has 1 cells at line 2, but 2 columns"),
        ("t.csv", "x,x\n1,2\n", "has the column 'x' more than once"),
        ("t.csv", 'x\n"1" 2\n', "is no CSV at line 2"),
        ("t.csv", b"x\n\xff\n", "is not UTF-8 text"),
        ("t.jsonl", '{"x": 1}\n{"y": 1}\n', "has no column 'x' at line 2; its columns are: 'y'"),
        ("t.jsonl", '{"x": "1"}\n', "holds '1' at line 1"),
        ("t.jsonl", '{"x": null}\n', "holds None at line 1"),
        ("t.jsonl", '{"x": NaN}\n', "holds nan at line 1"),
        ("t.jsonl", '{"x": 1' + "0" * 400 + "}\n", "at line 1; give a number"),
        ("t.jsonl", '{"x": 1}\nno\n', "holds no JSON at line 2"),
        ("t.jsonl", "[1]\n", "holds a list at line 1"),
        ("t.jsonl", "", "has no rows"),
        ("t.xlsx", "x", r"unknown ending; use one of \.csv, \.jsonl, \.ndjson, \.parquet"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, name: str, text: str | bytes, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        read_columns(write(tmp_path, text, name), ["x"])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "t.csv", "x")


def test_tiers_are_read_with_costs_from_columns(tmp_path: Path) -> None:
    path = write(tmp_path, CSV)
    small = TierColumns.parse("small:s_ok:usd:s_conf")
    found = read_outcomes(path, [small, TierColumns.parse("large:l_ok:0.02")], "usd")
    assert found.small.cost.tolist() == found.small.verify_cost.tolist() == [0.001, 0.002]
    assert found.large.quality.tolist() == [1, 0]
    assert found.large.cost.tolist() == [0.02, 0.02]


@pytest.mark.parametrize("text", ["", "small", "small:ok", "small::1:conf", "a:b:1:c:d", "a:b:1:", ":b:1"])
def test_a_tier_has_a_syntax(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"NAME:QUALITY_COLUMN:COST\[:CONFIDENCE_COLUMN\]"):
        TierColumns.parse(text)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "-inf"])
def test_a_cost_is_not_negative(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"cost '{text}' cannot be used; give a number of 0 or more"):
        parse_cost(text)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("1.2,0.5,1,1", r"quality of tier 'small' holds 1.2 at row 0 .*give numbers in \[0, 1\]"),
        ("1,-0.5,1,1", "confidence of tier 'small' holds -0.5"),
        ("1,0.5,-1,1", "cost of tier 'small' holds -1.0 at row 0; give costs of 0 or more"),
        ("1,0.5,99,1", "not in order of cost .*'small' 99, 'large' 20.*cheapest first"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, row: str, complaint: str) -> None:
    path = write(tmp_path, f"s_ok,s_conf,usd,l_ok\n{row}\n")
    with pytest.raises(ConfigurationError, match=complaint):
        read_outcomes(path, [TierColumns.parse("small:s_ok:usd:s_conf"), LARGE])


def test_tiers_that_make_no_cascade_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least two tiers"):
        read_outcomes(write(tmp_path, CSV), [SMALL])
