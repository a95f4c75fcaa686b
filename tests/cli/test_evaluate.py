"""``automix evaluate`` with a table: JSON for programs, tables for people, options that are refused."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from evaluating import QUICK, found, invoke

from automix_graph import AcceptCorrect, Threshold, save_policy
from automix_graph.cli.evaluate import evaluate
from automix_graph.errors import ConfigurationError

COSMOS = Path(__file__).parents[3] / "shared" / "data" / "cosmosqa_llama2_9995.csv"
TABLE = """id,s_ok,s_conf,m_ok,m_conf,l_ok,usd
a,1,0.9,1,0.9,1,0.02
b,1,0.8,0,0.6,1,0.03
c,0,0.7,1,0.7,1,0.02
d,0,0.2,0,0.1,1,0.05
"""
SHORTHAND = (
    *("--small", "s_ok", "--large", "l_ok", "--confidence", "s_conf"),
    *("--cost-small", "1", "--cost-large", "20", "--verify-cost", "0.15"),
)


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    return str(path)


def test_json_has_every_name(table: str) -> None:
    data = found(table, *SHORTHAND)
    names = [
        "n",
        "small",
        "large",
        "oracle",
        "quality",
        "cost",
        "escalated",
        "ibc",
        "ibc_lift",
        "pgr",
        "apgr",
        "cpt50",
        "cpt80",
        "aiq",
        "auroc",
        "ece",
    ]
    assert set(names) <= data.keys()
    assert (data["n"], data["small"], data["large"], data["oracle"]) == (4, 0.5, 1.0, 1.0)
    assert (data["quality"], data["escalated"]) == (0.75, 0.25)
    assert data["cost"] == pytest.approx(6.15)
    assert data["ibc_lift"] == pytest.approx((0.25 / 5.15) / (0.5 / 19) - 1)
    assert data["policy"]["keeps"] == "confidence > 0.5"
    assert data["bootstrap"] == {"level": 0.95, "resamples": 20, "seed": 0}
    assert data["undefined"] == {}
    assert data["table"] == table


def test_tiers_are_the_long_form_of_the_shorthand(table: str) -> None:
    long = found(table, "--tier", "small:s_ok:1:s_conf", "--tier", "large:l_ok:20", "--verify-cost", "0.15")
    assert long == found(table, *SHORTHAND)


def test_three_tiers(table: str) -> None:
    data = found(table, "--tier", "s:s_ok:1:s_conf", "--tier", "m:m_ok:4:m_conf", "--tier", "l:l_ok:20")
    # a, b and c stop at s; d goes up to l.
    assert [tier["answered"] for tier in data["tiers"]] == [0.75, 0.0, 0.25]
    assert data["cost"] == pytest.approx(1 + (4 + 20) / 4)
    assert data["apgr"] is None
    assert "two tiers" in data["undefined"]["apgr"]


def test_costs_may_be_columns(table: str) -> None:
    arguments = [*SHORTHAND[:6], "--cost-small", "0.001", "--cost-large", "usd", "--verify-cost", "0"]
    assert found(table, *arguments)["cost"] == pytest.approx(0.001 + 0.05 / 4)


def test_thresholds_are_compared(table: str) -> None:
    data = found(table, *SHORTHAND, "--threshold", "0.8", "--threshold", "0.9", "--threshold", "0.8")
    assert [policy["keeps"] for policy in data["policies"]] == ["confidence >= 0.8", "confidence >= 0.9"]
    assert data["policy"]["threshold"] == 0.8
    assert (data["quality"], data["escalated"]) == (1.0, 0.5)
    assert data["best_in_hindsight"]["in_hindsight"] is True
    assert data["best_in_hindsight"]["threshold"] == 0.8


def test_nothing_escalated_is_undefined_not_a_number(table: str) -> None:
    data = found(table, *SHORTHAND, "--threshold", "0")
    assert data["ibc"] is data["ibc_lift"] is None
    assert "nothing was escalated" in data["undefined"]["ibc"]


def test_people_see_tables_and_reasons(table: str) -> None:
    result = CliRunner(env={"COLUMNS": "140"}).invoke(evaluate, [table, *SHORTHAND, "--threshold", "0", *QUICK])
    assert result.exit_code == 0
    parts = (
        "4 questions",
        "costs in the unit of the table",
        "small only",
        "random mix",
        "large only",
        "oracle",
        "APGR",
    )
    for part in (*parts, "keep: confidence >= 0", "best in hindsight: confidence >= 0.8", "0.5000 ["):
        assert part in result.stdout
    assert "– IBC (confidence >= 0), IBC lift (confidence >= 0): nothing was escalated" in result.stdout
    assert "What the large model adds" in result.stdout


def test_people_see_three_tiers(table: str) -> None:
    tiers = ["--tier", "[b]s:s_ok:1:s_conf", "--tier", "m:m_ok:4:m_conf", "--tier", "l:l_ok:20"]
    result = invoke(table, *tiers)
    assert result.exit_code == 0
    assert "[b]s" in result.stdout
    assert "it is defined for two tiers, and there are 3" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--small, --large, --confidence, --cost-small, --cost-large not given"),
        (SHORTHAND[:6], "--cost-small, --cost-large not given"),
        ([*SHORTHAND, "--tier", "l:l_ok:20"], "either --tier or --small, not both"),
        ([*SHORTHAND, "--threshold", "1.5"], "1.5 is not in the range"),
        ([*SHORTHAND, "--seed", "-1"], "-1 is not in the range"),
        ([*SHORTHAND, "--policy", "no.json"], "'no.json' does not exist"),
        ([*SHORTHAND, "--price", "m=1/2"], "--price is for records"),
        ([*SHORTHAND, "--unit", "usd"], "--unit is for records"),
        (["--verify-cost", "1"], "--small, --large, --confidence, --cost-small, --cost-large not given"),
        (["--unit", "tokens"], "only a file of records needs none"),
    ],
)
def test_wrong_options_are_refused(table: str, arguments: list[str], complaint: str) -> None:
    result = invoke(table, *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--tier", "s:s_ok"], "NAME:QUALITY_COLUMN:COST"),
        (["--tier", "s:s_ok:1:s_conf"], "at least two tiers"),
        (["--tier", "s:s_ok:-1:s_conf", "--tier", "l:l_ok:20"], "'-1' cannot be used"),
        (["--tier", "s:s_ok:1", "--tier", "l:l_ok:20"], "'s' has no confidence"),
        (["--tier", "s:s_ok:1:s_conf", "--tier", "l:l_ok:20:m_conf"], "'l' is the last one"),
        (["--tier", "s:s_ok:9:s_conf", "--tier", "l:l_ok:2"], "cheapest first"),
        ([*SHORTHAND, "--verify-cost", "-1"], "'-1' cannot be used"),
        ([*SHORTHAND, "--small", "x"], "no column 'x'; its columns are: 'id', 's_ok'"),
        ([*SHORTHAND, "--small", "id"], "holds 'a' at line 2"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(table: str, arguments: list[str], complaint: str) -> None:
    result = invoke(table, *arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert complaint in str(result.exception)


def test_the_first_policy_given_is_the_headline(table: str, tmp_path: Path) -> None:
    save_policy(Threshold(0.9), tmp_path / "p.json")
    save_policy(AcceptCorrect(), tmp_path / "q.json")
    files = ["--policy", str(tmp_path / "p.json"), "--policy", str(tmp_path / "q.json")]
    one = found(table, *SHORTHAND, *files, "--threshold", "0.8", "--threshold", "0.9")
    names = ["confidence >= 0.9", "confidence > 0.5", "confidence >= 0.8"]
    assert [policy["keeps"] for policy in one["policies"]] == names
    other = found(table, *SHORTHAND, "--threshold", "0.8", *files)
    assert [policy["keeps"] for policy in other["policies"]] == [names[2], *names[:2]]
    # 0.9 keeps one of the two right answers that 0.8 keeps: one more large answer in four.
    assert other["policies"][1]["over_first"]["cost"] == pytest.approx(20 / 4)


def test_a_file_that_is_no_policy_is_refused(table: str) -> None:
    result = invoke(table, *SHORTHAND, "--policy", table)
    assert isinstance(result.exception, ConfigurationError)
    assert "is no JSON" in str(result.exception)


def test_help_names_every_option() -> None:
    text = CliRunner().invoke(evaluate, ["--help"]).output
    for option in evaluate.params:
        for name in option.opts:
            shown = name if name.startswith("-") else name.upper()
            assert re.search(rf"(?<![\w-]){re.escape(shown)}(?![\w-])", text), name


def test_the_command_writes_nothing_but_json_to_stdout(table: str) -> None:
    command = [sys.executable, "-m", "automix_graph", "evaluate", table, *SHORTHAND, *QUICK, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["n"] == 4
    assert result.stderr.strip() == ""


@pytest.mark.skipif(not COSMOS.exists(), reason="the table of 9,995 CosmosQA questions is not in ../shared/data")
def test_ten_thousand_questions_take_seconds() -> None:
    columns = ["--small", "l13_ok", "--large", "l70_ok", "--confidence", "l13_pmax", *SHORTHAND[6:]]
    command = [sys.executable, "-m", "automix_graph", "evaluate", str(COSMOS), *columns, "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of a processor, whatever else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20
    data = json.loads(result.stdout)
    assert data["bootstrap"]["resamples"] == 1000
    expected = {"apgr": 0.783, "cpt50": 0.180, "cpt80": 0.349, "aiq": 0.878}
    assert {name: data[name] for name in expected} == pytest.approx(expected, abs=0.0006)
