"""The benchmarks start, and their reports are right about results that are known."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from automix_graph.verification import Logistic

pytestmark = pytest.mark.integration

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


SCRIPTS = [
    "all.py",
    "batch_soak.py",
    "batch_throughput.py",
    "calibration_speed.py",
    "calibration_splits.py",
    "forgery_flips.py",
    "graph_overhead.py",
    "local_runtime.py",
    "replay_speed.py",
    "retrieval_recall.py",
    "serve_load.py",
    "start_times.py",
    "store_speed.py",
    "tokens_per_layout.py",
    "verification_methods.py",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_says_how_to_run_it(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
    assert ended.value.code == 0
    assert f"python benchmarks/{script}" in capsys.readouterr().out


def row(method: str, number: int, confidence: float | None, correct: bool) -> dict[str, object]:
    usage = {"input_tokens": 100, "cached_input_tokens": 60, "output_tokens": 2}
    return {
        "key": f"{method}/{number}",
        "method": method,
        "case": str(number),
        "group": str(number),
        "correct": correct,
        "answer_characters": 10 + number,
        "confidence": confidence,
        "signals": {"content_mean": -0.1 if correct else -1.0, "content_first": -0.1},
        "usage": [usage, usage],
        "seconds": 0.5,
        "answered": {"usage": usage, "seconds": 2.0, "text": "x"},
    }


def test_the_report_of_verifiers_is_right(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"settings": "some"}]
    for number in range(40):
        correct = number % 2 == 0
        rows.append(row("perfect", number, 0.9 if correct else 0.1, correct))
        rows.append(row("blind", number, 0.5, correct))
        rows.append(row("silent", number, None, correct))
        rows.append(row("likelihood", number, 0.5, correct))
    text = "\n".join(map(json.dumps, rows)) + '\n{"key": "cut o'
    (tmp_path / "verifications-cases.jsonl").write_text(text, encoding="utf-8")
    tables = json.loads(run("verification_methods.py", "--report", str(tmp_path)))[str(tmp_path)]
    perfect, blind, silent = (tables["cases"][name] for name in ("perfect", "blind", "silent"))
    assert perfect["auroc"] == [1.0, 1.0, 1.0]
    assert (perfect["auroc_of_shorter_half"], perfect["auroc_of_longer_half"]) == (1.0, 1.0)
    assert perfect["accuracy_at_0.5"][0] == 1.0
    assert perfect["ece"][0] == pytest.approx(0.1)
    assert perfect["ece_isotonic"][0] == pytest.approx(0.0)
    assert (perfect["new_prompt_tokens"], perfect["output_tokens"], perfect["seconds"]) == (80, 4, 0.5)
    assert (perfect["answer_new_prompt_tokens"], perfect["answer_seconds"]) == (40, 2.0)
    assert blind["auroc"][0] == 0.5
    assert silent == {"n": 40, "unparsed": 1.0} | {key: silent[key] for key in silent if key not in {"n", "unparsed"}}
    assert "auroc" not in silent
    assert tables["cases"]["likelihood, fitted"]["auroc"] == [1.0, 1.0, 1.0]
    assert tables["paired"]["perfect - blind"] == [0.5, 0.5, 0.5]


def test_methods_are_compared_on_the_cases_that_all_judged(tmp_path: Path) -> None:
    # The blind method was stopped after 20 cases, and could not judge the first of them. On the other 19 the short one
    # is always right, on what only it judged always wrong.
    rows: list[dict[str, object]] = [{"settings": "some"}]
    for number in range(60):
        correct = number % 2 == 0
        right = 0.9 if correct else 0.1
        rows.append(row("short", number, right if 1 <= number < 20 else 1 - right, correct) | {"seconds": number})
        if number < 20:
            rows.append(row("blind", number, 0.5 if number else None, correct))
        rows.append(row("silent", number, None, correct))
    (tmp_path / "verifications-cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tables = json.loads(run("verification_methods.py", "--report", str(tmp_path)))[str(tmp_path)]
    same = tables["same_cases"]
    assert list(same) == ["short", "blind"]
    assert (same["short"]["n"], same["blind"]["n"], same["blind"]["unparsed"]) == (19, 19, 0.0)
    assert (same["short"]["auroc"][0], same["blind"]["auroc"][0]) == (1.0, 0.5)
    assert same["short"]["seconds"] == 10.0  # the mean of 1 to 19
    assert tables["cases"]["short"]["n"] == 60
    assert tables["cases"]["short"]["auroc"][0] < 0.5


def test_without_a_case_that_all_judged_there_is_nothing_to_compare(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"settings": "some"}]
    rows += [row("short", number, 0.9, number % 2 == 0) for number in range(20)]
    rows += [row("blind", number, 0.5, number % 2 == 0) for number in range(20, 40)]
    (tmp_path / "verifications-cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tables = json.loads(run("verification_methods.py", "--report", str(tmp_path)))[str(tmp_path)]
    assert tables["same_cases"] == {}


def test_a_scale_is_fitted_to_the_results(tmp_path: Path) -> None:
    rows = [{"settings": "some"}, *(row("likelihood", number, 0.5, number % 2 == 0) for number in range(40))]
    (tmp_path / "verifications-cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    run("verification_methods.py", "--fit", str(tmp_path), "--out", str(tmp_path / "scale.json"))
    assert Logistic.load(tmp_path / "scale.json").probability({"content_mean": -0.1, "content_first": -0.1}) > 0.5


def test_targets_that_were_met_and_missed_stand_in_one_table(tmp_path: Path) -> None:
    about = {"command": "python benchmarks/x.py", "date": "2026-01-02", "commit": "abc", "machine": "m", "load": 0.1}
    rows = [
        {"what": "speed", "ours": "2 s", "peer": "1 s, p", "ratio": "2.00", "target": "≤ 1.3", "met": False},
        {"what": "size", "ours": "1 B", "peer": "", "ratio": "0.50", "target": "≤ 2 B", "met": True},
    ]
    (tmp_path / "x.json").write_text(json.dumps(about | {"targets": rows}), encoding="utf-8")
    (tmp_path / "without.json").write_text("{}", encoding="utf-8")
    told = run("all.py", "--folder", str(tmp_path), "--only")
    assert "| speed | 2 s | 1 s, p | 2.00 | ≤ 1.3 | **no** | `python benchmarks/x.py` |" in told
    assert "| size | 1 B |  | 0.50 | ≤ 2 B | yes | `python benchmarks/x.py` |" in told
    assert (tmp_path / "table.md").read_text(encoding="utf-8").strip() == told.strip()


def test_the_two_graphs_that_are_compared_do_the_same(tmp_path: Path) -> None:
    out = tmp_path / "graph.json"
    sizes = ["--rounds", "1", "--calls", "1", "--batch", "2", "--savers", "none"]
    run("graph_overhead.py", *sizes, "--forms", "invoke", "abatch", "--out", str(out))
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert [row["setting"] for row in rows] == [
        "invoke, none, accepted",
        "invoke, none, escalated",
        "abatch, none, accepted",
        "abatch, none, escalated",
    ]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)
