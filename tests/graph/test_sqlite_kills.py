"""A process that is killed between nodes: the next one goes on from the SQLite file, and pays for nothing twice."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scene import LARGE

pytestmark = pytest.mark.integration

pytest.importorskip("langgraph.checkpoint.sqlite", reason="needs langgraph-checkpoint-sqlite")

STAGES = ["small_answer", "verify", "large_answer"]
BILLS = {
    "small": ["small", "small", "verify", "large"],
    "verify": ["small", "verify", "verify", "large"],
    "large": ["small", "verify", "large", "large"],
}
"""Calls that the provider saw: only the one that the kill cut short is made again."""


ALL = [(killed, way) for killed in BILLS for way in ("sync", "async")]
QUICK = {("large", "sync"), ("verify", "async")}


@pytest.mark.parametrize(
    ("killed", "way"), [pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow) for case in ALL]
)
def test_only_the_call_that_was_cut_short_is_paid_for_again(tmp_path: Path, killed: str, way: str) -> None:
    program = str(Path(__file__).with_name("sqlite_process.py"))

    def run() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, program, str(tmp_path / "threads.sqlite"), str(tmp_path / "calls"), killed, way]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    asked = run()
    assert (asked.returncode, asked.stdout) == (-signal.SIGKILL, ""), asked.stderr
    resumed = run()
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout) == {"answer": LARGE, "route": "large", "stages": STAGES}
    assert (tmp_path / "calls").read_text(encoding="utf-8").split() == BILLS[killed]
