"""The benchmarks start, and their reports are right about results that are known."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from automix_graph.verification import Logistic

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


SCRIPTS = [
    "batch_soak.py",
    "batch_throughput.py",
    "calibration_speed.py",
    "calibration_splits.py",
    "forgery_flips.py",
    "retrieval_recall.py",
    "serve_load.py",
    "store_speed.py",
    "verification_methods.py",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_says_how_to_run_it(script: str) -> None:
    assert f"python benchmarks/{script}" in run(script, "--help")


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
