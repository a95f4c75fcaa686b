"""The load script finds no error in the server, and would find one."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "serve_load.py"


def test_a_small_load_is_borne(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--clients", "6", "--rounds", "1", "--pace", "0.5"]
    run = subprocess.run([*command, "--json", str(tmp_path / "load.json")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    loads = json.loads((tmp_path / "load.json").read_text())["loads"]
    assert [(found["requests"], found["errors"]) for found in loads.values()] == [(6, 0), (6, 0)]
    assert "paced, 12 questions a second: 6 requests, 0 errors" in run.stdout


@pytest.mark.parametrize(("told", "wrong"), [("7", False), ("8", True)])
async def test_an_answer_to_another_question_is_an_error(told: str, wrong: bool) -> None:
    answer = " ".join(["small", *[f"number={told}"] * 20])
    chunk = {"choices": [{"delta": {"content": answer}}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=f"data: {json.dumps(chunk)}\n\n"))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        asked = await runpy.run_path(str(SCRIPT))["ask"](client, 7)
    assert (asked.error is not None) is wrong


def test_overhead_is_reported_by_quantiles() -> None:
    script = runpy.run_path(str(SCRIPT))
    asked = [script["Asked"](overhead=number / 1000, error=None) for number in range(1, 101)]
    failed = script["Asked"](overhead=9.0, error="status 500")
    found = script["summary"]([*asked, failed])
    assert found["overhead_ms"] == {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p100": 100.0}
    assert (found["requests"], found["errors"], found["first_errors"]) == (101, 1, ["status 500"])
