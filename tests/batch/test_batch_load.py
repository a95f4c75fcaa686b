"""Many questions at one time: nothing is left behind, and the time is that of the models and of Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def soak(questions: int, concurrency: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        run("batch_soak.py", "--questions", str(questions), "--concurrency", str(concurrency))
    )
    assert found["answered"] == questions
    assert found["after"] == found["before"]
    assert found["before"]["tasks"] == 1
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_stays_open() -> None:
    soak(100, 50)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_memory_is_flat() -> None:
    assert soak(20_000, 200)["growth"] < 0.05


def throughput(questions: int, seconds: float, rounds: int) -> dict[str, Any]:
    arguments = ("--questions", str(questions), "--seconds", str(seconds), "--rounds", str(rounds))
    found: dict[str, Any] = json.loads(run("batch_throughput.py", *arguments))
    return found


def test_questions_wait_side_by_side() -> None:
    found = throughput(20, 0.4, 1)
    assert found["critical_path_seconds"] == pytest.approx(1.2)
    assert 1.2 < found["wall_seconds"] < 8  # one after the other they take 24


@pytest.mark.slow
def test_a_thousand_questions_take_what_models_and_python_take() -> None:
    found = throughput(1000, 0.1, 3)
    assert found["wall_seconds"] <= found["bound_seconds"]
