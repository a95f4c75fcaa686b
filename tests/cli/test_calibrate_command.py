import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from automix_graph import Threshold, load_policy
from automix_graph.cli.calibrate import calibrate
from automix_graph.cli.evaluate import evaluate
from automix_graph.errors import ConfigurationError
from automix_graph.policies import load_provenance

COLUMNS = ("--small", "s_ok", "--large", "l_ok", "--confidence", "conf")
COSTS = ("--cost-small", "1", "--cost-large", "20", "--verify-cost", "0.5")
SHORTHAND = (*COLUMNS, *COSTS)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The small answer is right exactly from a confidence of 0.4 on; each question comes twice, spelt otherwise."""
    path = tmp_path / "t.csv"
    rows = [f"{'Q' if n % 2 else 'q'}{n // 2},{n / 500},{int(n >= 200)},1" for n in range(500)]
    path.write_text("question,conf,s_ok,l_ok\n" + "\n".join(rows) + "\n")
    return path


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(calibrate, [str(argument) for argument in arguments])


def found(*arguments: str | Path) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


@pytest.mark.parametrize(
    "target",
    [
        ("--max-cost", "9.5"),
        ("--min-quality", "0.95"),
        ("--price-of-error", "500"),
        ("--max-error", "0.1"),
        ("--max-regret", "0.1", "--delta", "0.05"),
    ],
)
def test_every_target_writes_a_policy_that_evaluate_reads(table: Path, tmp_path: Path, target: tuple[str, ...]) -> None:
    out = tmp_path / "policy.json"
    data = found(table, *SHORTHAND, *target, "--out", out)
    policy = load_policy(out)
    assert policy.name == data["policy"]
    assert isinstance(policy, Threshold)
    assert 0.3 < policy.minimum < 0.42
    measured = CliRunner().invoke(
        evaluate, [str(table), *SHORTHAND, "--policy", str(out), "--resamples", "5", "--json"]
    )
    assert json.loads(measured.stdout)["policy"]["threshold"] == policy.minimum


def test_a_policy_file_says_where_it_comes_from(table: Path, tmp_path: Path) -> None:
    import hashlib

    data = found(table, *SHORTHAND, "--max-error", "0.1", "--delta", "0.2", "--seed", "3", "--out", tmp_path / "p.json")
    provenance = load_provenance(tmp_path / "p.json")
    assert provenance is not None
    facts = provenance.facts
    assert provenance.made_for is None
    assert facts["data"] == {"file": "t.csv", "sha256": hashlib.sha256(table.read_bytes()).hexdigest()}
    assert facts["target"] == {"target": "max-error", "alpha": 0.1, "delta": 0.2}
    assert facts["costs"] == {
        "unit": None,
        "prices": None,
        "mean": {"small": 1.0, "large": 20.0},
        "mean_verification": {"small": 0.5},
    }
    assert (facts["n"], facts["seed"], facts["label"]) == (500, 3, "quality")
    assert facts["certificate"]["threshold"] == load_policy(tmp_path / "p.json").minimum  # type: ignore[attr-defined]
    assert facts["expected"] == data["expected"]
    assert facts["software"].startswith("automix-graph ")
    assert facts["date"][:2] == "20"


def test_people_are_told_what_it_does_and_what_is_guaranteed(table: Path, tmp_path: Path) -> None:
    output = " ".join(invoke(table, *SHORTHAND, "--max-error", "0.1", "--out", tmp_path / "p.json").stdout.split())
    for text in (
        "Target: an error of at most 0.1 among kept answers, with confidence 0.9",
        "which keeps a small answer if: confidence >=",
        "150 questions chose the thresholds to test, 350 others tested them",
        "this policy",
        "With confidence 90 %, at most 10 % of the answers that are kept from the small model are wrong.",
        "It holds for the mean over all questions, not for each kind of them",
        "Written:",
    ):
        assert text in output


def test_people_are_told_what_was_compared(table: Path, tmp_path: Path) -> None:
    output = " ".join(invoke(table, *SHORTHAND, "--max-cost", "9", "--out", tmp_path / "p.json").stdout.split())
    for text in ("double-threshold", "pomdp", "no richer policy is surely better", "Nothing is guaranteed"):
        assert text in output


def test_groups_are_read_and_folded(table: Path, tmp_path: Path) -> None:
    data = found(table, *SHORTHAND, "--max-cost", "9", "--groups", "question", "--out", tmp_path / "p.json")
    assert (data["n"], data["questions"]) == (500, 250)
    with pytest.raises(ConfigurationError, match="no column 'topic'"):
        CliRunner().invoke(
            calibrate,
            [str(table), *SHORTHAND, "--max-cost", "9", "--groups", "topic", "--out", str(tmp_path / "p.json")],
            standalone_mode=False,
            catch_exceptions=False,
        )


@pytest.mark.parametrize(
    ("arguments", "reason", "message"),
    [
        (("--max-error", "0.005"), "nothing-certified", "it takes"),
        (("--max-cost", "1.2"), "budget-too-low", "costs 1.5;"),
        (("--price-of-error", "10", "--large", "s_ok"), "large-not-better", "use 'small' alone"),
    ],
)
def test_a_refusal_writes_nothing_and_exits_with_1(
    table: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str, message: str
) -> None:
    out = tmp_path / "policy.json"
    command = [
        sys.executable,
        "-m",
        "automix_graph",
        "calibrate",
        str(table),
        *SHORTHAND,
        *arguments,
        "--out",
        str(out),
    ]
    result = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert not out.exists()
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert json.loads(result.stdout)["refused"]["reason"] == reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "none was given"),
        (("--max-cost", "5", "--min-quality", "0.5"), "several were given"),
        (("--max-cost", "5", "--delta", "0.1"), "--delta is for guarantees, and --max-cost is none"),
        (("--max-cost", "5", "--price", "a=1/2"), "--price is for records"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    table: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = invoke(table, *SHORTHAND, *arguments, "--out", tmp_path / "p.json")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--max-error", "1.5", "0<x<1"),
        ("--max-error", "0", "0<x<1"),
        ("--max-regret", "-1", "0<x<1"),
        ("--max-cost", "-0.1", "x>=0"),
        ("--min-quality", "1.1", "0<=x<=1"),
        ("--price-of-error", "0", "x>0"),
    ],
)
def test_a_target_out_of_range_is_told_at_its_option(
    table: Path, tmp_path: Path, option: str, value: str, allowed: str
) -> None:
    result = invoke(table, *SHORTHAND, option, value, "--out", tmp_path / "p.json")
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': {float(value)} is not in the range {allowed}." in result.output


def test_a_delta_out_of_range_is_told_at_its_option(table: Path, tmp_path: Path) -> None:
    result = invoke(table, *SHORTHAND, "--max-error", "0.1", "--delta", "1", "--out", tmp_path / "p.json")
    assert result.exit_code == 2
    assert "Invalid value for '--delta': 1.0 is not in the range 0<x<1." in result.output


def test_without_labels_a_column_of_agreements_will_do(table: Path, tmp_path: Path) -> None:
    given = ("--small", "s_ok", "--confidence", "conf", *COSTS, "--label-free", "--max-regret", "0.1")
    data = found(table, *given, "--out", tmp_path / "p.json")
    assert data["label"] == "agreement with the large model"
    assert data["alone"][1]["quality"] == 1.0
    assert "differs from the large model's" in data["guarantee"]
    provenance = load_provenance(tmp_path / "p.json")
    assert provenance is not None
    assert provenance.facts["label"] == "agreement with the large model"
    assert "Quality is agreement with the large model" in " ".join(
        invoke(table, *given, "--out", tmp_path / "p.json").stdout.split()
    )
    result = invoke(table, *given, "--large", "l_ok", "--out", tmp_path / "p.json")
    assert result.exit_code == 2
    assert "right by definition" in " ".join(result.output.split())


def test_three_tiers_in_a_table(tmp_path: Path) -> None:
    hard = (np.arange(400) + 0.5) / 400
    rows = [f"{int(h < 0.5)},{1.5 - h - 0.5},{int(h < 0.8)},{min(1.0, 1.3 - h)},1" for h in hard]
    (tmp_path / "t.csv").write_text("a,ac,b,bc,c\n" + "\n".join(rows) + "\n")
    tiers = ("--tier", "a:a:1:ac", "--tier", "b:b:4:bc", "--tier", "c:c:20", "--verify-cost", "0.5")
    data = found(tmp_path / "t.csv", *tiers, "--max-cost", "7", "--out", tmp_path / "p.json")
    assert [each["family"] for each in data["compared"]] == ["threshold", "per-tier", "optimal-stopping", "pomdp"]
    assert data["expected"]["quality"]["estimate"] > 0.85
    load_policy(tmp_path / "p.json")


def test_a_plot_shows_where_it_escalates(table: Path, tmp_path: Path) -> None:
    found(table, *SHORTHAND, "--max-cost", "9", "--out", tmp_path / "p.json", "--plot", tmp_path / "p.svg")
    drawn = (tmp_path / "p.svg").read_text()
    for text in ("mean quality", "escalated", "small", "large", "threshold"):
        assert text in drawn
    given = [str(table), *SHORTHAND, "--max-cost", "9", "--out", str(tmp_path / "q.json"), "--plot", "p.txt"]
    with pytest.raises(ConfigurationError, match="unknown ending"):
        CliRunner().invoke(calibrate, given, standalone_mode=False, catch_exceptions=False)
    assert not (tmp_path / "q.json").exists()


def test_a_plot_that_cannot_be_drawn_leaves_the_old_one(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    (drawn / "p.PNG").write_bytes(b"old")
    given = [str(table), *SHORTHAND, "--max-cost", "9", "--out", str(tmp_path / "q.json"), "--plot", drawn / "p.PNG"]

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ConfigurationError, match=r"plot .* cannot be written: No space left on device"):
            CliRunner().invoke(calibrate, list(map(str, given)), standalone_mode=False, catch_exceptions=False)
    assert [(path.name, path.read_bytes()) for path in drawn.iterdir()] == [("p.PNG", b"old")]
    assert not (tmp_path / "q.json").exists()
    found(*given)
    assert (drawn / "p.PNG").read_bytes().startswith(b"\x89PNG")
