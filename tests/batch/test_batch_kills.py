"""A batch that is killed at any moment ends as one that nobody disturbed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripted import graph_of, read, row, write

from automix_graph.batch import run_batch

pytestmark = pytest.mark.integration

DRIVER = Path(__file__).with_name("killed.py")


def kill(folder: Path, *, rows: int, kills: int, order: str, seed: int) -> dict[str, int]:
    write(folder / "in.jsonl", *map(row, range(rows)))
    command = [sys.executable, str(DRIVER), str(folder), str(kills), order, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("rows", "kills", "order"),
    [
        (60, 3, "input"),
        (60, 3, "completed"),
        pytest.param(2000, 100, "input", marks=pytest.mark.slow),
        pytest.param(2000, 100, "completed", marks=pytest.mark.slow),
    ],
)
def test_kills_change_nothing(tmp_path: Path, rows: int, kills: int, order: str) -> None:
    found = kill(tmp_path, rows=rows, kills=kills, order=order, seed=7)
    assert found["kills"] == kills
    run_batch(tmp_path / "in.jsonl", tmp_path / "undisturbed.jsonl", graph_of())
    lines, expected = ((tmp_path / name).read_bytes().splitlines() for name in ("out.jsonl", "undisturbed.jsonl"))
    assert [one["id"] for one in read(tmp_path / "undisturbed.jsonl")] == list(range(rows))
    assert (lines if order == "input" else sorted(lines)) == (expected if order == "input" else sorted(expected))
