"""``automix batch`` as a user runs it, over models that are functions."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted import CALL, number_in, read, reply, row, write

from automix_graph.cli.main import automix
from automix_graph.models import named
from automix_graph.policies import Threshold, save_policy
from automix_graph.retrieval import FaissStore
from automix_graph.testing import FunctionChatModel, HashEmbeddings

pytestmark = pytest.mark.integration

MODELS = ("--small", "test:small", "--large", "test:large", "--verifier", "test:judge")
PRICES = ("--price", "test:small=1/1", "--price", "test:large=1/1", "--price", "test:judge=1/1")


def model_of(spec: Any, **settings: Any) -> Any:
    """Return a model by its name; all fail at event 5, and the judge accepts what is not divisible by three."""
    if not isinstance(spec, str):
        return spec

    def say(prompt: str) -> Any:
        number = number_in(prompt)
        if number == 5:
            return ConnectionError("down")
        judged = "Incorrect" if number % 3 == 0 else "Correct"
        return reply(judged if spec == "test:judge" else f"{spec} {number}")

    return FunctionChatModel(say, label=spec)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with an index and a data set."""
    monkeypatch.setattr(named, "resolve_chat_model", model_of)
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda name: HashEmbeddings())
    monkeypatch.chdir(tmp_path)
    with FaissStore.from_texts(["Something happened."], HashEmbeddings()) as store:
        store.save("index")
    write(Path("in.jsonl"), *map(row, range(1, 5)))
    return tmp_path


def batch(*arguments: str) -> Result:
    return CliRunner().invoke(automix, ["batch", "in.jsonl", "out.jsonl", "--index", "index", *MODELS, *arguments])


def test_json_says_all_that_the_lines_say() -> None:
    write(Path("in.jsonl"), *map(row, (1, 3, 5)), "{")
    result = batch("--json", *PRICES)
    assert result.exit_code == 1, result.output
    printed = json.loads(result.stdout)
    assert printed.pop("seconds") > 0
    rejected = printed.pop("first_rejected")
    assert (rejected[0]["line"], rejected[0]["text"]) == (4, "{")
    failed = printed.pop("first_failed")
    assert (failed[0]["id"], "large_answer" in failed[0]["error"]) == (5, True)
    assert printed == {
        "out": "out.jsonl",
        "journal": "out.jsonl.journal",
        "rejects": "out.rejects.jsonl",
        "total": 3,
        "answered": 2,
        "failed": 1,
        "left": 0,
        "rejected": 1,
        "asked": 3,
        "routes": {"small": 1, "large": 1},
        "escalated": 0.5,
        "degraded": 0,
        "stop": None,
        "cut": 0,
        "cost": None,
        "cost_at_least": pytest.approx(5 * CALL),
        "cost_now": None,
        "cost_now_at_least": pytest.approx(5 * CALL),
        "charged": pytest.approx(5 * CALL),
        "complete": False,
    }


def test_the_summary_says_what_became_of_the_rows() -> None:
    write(Path("in.jsonl"), *map(row, (1, 3, 5)), "{")
    lines = batch(*PRICES).stdout.splitlines()
    assert lines[0] == "answered: 2 of 3 rows, 3 asked about now"
    assert lines[1] == "routes: large 1, small 1; escalated 50.0 %"
    assert lines[2].startswith("failed: 5: test:large failed in large_answer: ConnectionError")
    assert lines[3] == "The same command asks again about the rows that failed."
    assert lines[4].startswith("cannot be used: line 4: it is no JSON")
    assert lines[5] == "rows that cannot be used: out.rejects.jsonl"
    assert lines[6].startswith("cost: at least $0.000550, at least $0.000550 of it now; ")
    assert lines[7:] == ["rows: out.jsonl"]


def test_progress_goes_to_stderr_line_by_line() -> None:
    result = batch(*PRICES)
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert lines[0] == "0/4  cost $0.000000  failed 0"
    assert lines[-1].startswith("4/4  ")
    assert "/s  escalated 25 %  cost $0.000990  failed 0  ETA 0:00:00" in lines[-1]


def test_the_rows_hold_what_the_options_say() -> None:
    assert batch("--no-question", "--texts", "-k", "1").exit_code == 0
    found = read(Path("out.jsonl"))
    assert [one["id"] for one in found] == [1, 2, 3, 4]
    assert all("question" not in one for one in found)
    assert found[0]["sources"][0]["text"] == "Something happened."


@pytest.mark.parametrize(
    ("arguments", "differs"),
    [
        (("-k", "7"), "retrieval.search_kwargs.k is 4 in the file, and 7 now"),
        (("--small", "test:other"), "small.label is 'test:small' in the file, and 'test:other' now"),
        (("--policy", "policy.json"), "policy.name is 'accept-correct' in the file, and 'threshold(0.9)' now"),
        (("--limit-calls", "2"), "limits.max_calls is None in the file, and 2 now"),
        (("--language", "en"), "prompts"),
        (("--no-question",), "rows.question is True in the file, and False now"),
    ],
)
def test_another_configuration_is_noticed(arguments: tuple[str, ...], differs: str) -> None:
    save_policy(Threshold(0.9), "policy.json")
    assert batch().exit_code == 0
    refused = batch(*arguments)
    assert refused.exit_code == 1
    assert differs in str(refused.exception)
    assert "delete this file and the output to begin anew" in str(refused.exception)


def test_another_generation_of_the_index_is_noticed() -> None:
    assert batch().exit_code == 0
    with FaissStore.open("index", HashEmbeddings()) as store:
        store.add_texts(["Something else happened."])
        store.save("index")
    refused = batch()
    assert refused.exit_code == 1
    assert "retrieval.store.passages is 1 in the file, and 2 now" in str(refused.exception)


def test_prices_concurrency_and_order_may_change() -> None:
    assert batch().exit_code == 0
    result = batch(*PRICES, "--concurrency", "3", "--order", "completed", "--json")
    assert json.loads(result.stdout)["asked"] == 0


def test_a_ceiling_stops_with_a_status_of_its_own_and_a_higher_one_goes_on() -> None:
    write(Path("in.jsonl"), *map(row, (1, 2, 4, 7)))
    result = batch(*PRICES, "--max-cost", str(5 * CALL))
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == (
        "Stopped at --max-cost with 2 rows left; the same command with a higher one goes on."
    )
    assert len(read(Path("out.jsonl"))) == 2
    assert batch(*PRICES, "--max-cost", str(8 * CALL)).exit_code == 0
    assert [one["id"] for one in read(Path("out.jsonl"))] == [1, 2, 4, 7]


def test_a_ceiling_needs_the_prices_of_all_models_before_anybody_is_asked() -> None:
    result = batch("--max-cost", "1", *PRICES[:4])
    assert result.exit_code == 1
    assert "no price is known for 'test:judge'" in str(result.exception)
    assert not Path("out.jsonl").exists()


def test_what_failed_is_asked_again_or_kept() -> None:
    write(Path("in.jsonl"), *map(row, (1, 5)))
    assert json.loads(batch("--json").stdout)["asked"] == 2
    assert json.loads(batch("--json").stdout)["asked"] == 1
    kept = batch("--json", "--keep-failed")
    assert (json.loads(kept.stdout)["asked"], kept.exit_code) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["none.jsonl", "out.jsonl", "--index", "index"], 2, "does not exist"),
        (["in.jsonl", "in.jsonl", "--index", "index"], 1, "is both data set and output"),
        (["in.jsonl", "out.jsonl", "--index", "nowhere"], 1, "nowhere"),
        (["in.jsonl", "out.jsonl"], 2, "Missing option '--index'"),
        (["in.jsonl", "out.jsonl", "--index", "index", "--max-cost", "0"], 2, "--max-cost"),
        (["in.jsonl", "out.jsonl", "--index", "index", "--price", "x=1/1"], 1, "prices name ['x']"),
    ],
)
def test_what_cannot_be_done_is_refused_first(arguments: list[str], status: int, message: str) -> None:
    before = sorted(Path().iterdir())
    result = CliRunner().invoke(automix, ["batch", *arguments, *MODELS])
    assert result.exit_code == status
    assert message in (result.output + str(result.exception))
    assert sorted(Path().iterdir()) == before


COMMAND = """
import signal, sys, time
if "--ignored" not in sys.argv:  # as it is where the tests run in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
import automix_graph.models
from automix_graph.cli.main import main
from automix_graph.models import named
from automix_graph.testing import FunctionChatModel, HashEmbeddings
def say(prompt):
    time.sleep(0.02)
    return "Correct"
def model(spec, **settings):
    return FunctionChatModel(say, label=spec) if isinstance(spec, str) else spec
named.resolve_chat_model = model
automix_graph.models.load_embeddings = lambda name: HashEmbeddings()
sys.argv = ["automix", "batch", "in.jsonl", "out.jsonl", "--index", "index", "--small", "a", "--large", "b", "--json"]
sys.argv += ["--concurrency", "2"]
main()
"""


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Terminated."), (signal.SIGKILL, -9, "")],
)
def test_signals_lose_nothing(number: signal.Signals, status: int, message: str) -> None:
    write(Path("in.jsonl"), *map(row, range(60)))
    out = Path("out.jsonl")
    with subprocess.Popen([sys.executable, "-c", COMMAND], stderr=subprocess.PIPE, text=True) as process:
        while not out.exists() or out.read_bytes().count(b"\n") < 4:
            assert process.poll() is None, process.stderr.read()  # type: ignore[union-attr]  # it is piped
            time.sleep(0.005)
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert message in errors
    assert "Traceback" not in errors
    done = len(read(out))
    assert 4 <= done < 60
    ended = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True)
    assert [one["id"] for one in read(out)] == list(range(60))
    asked = json.loads(ended.stdout)["asked"]
    assert asked == 60 - done if number != signal.SIGKILL else asked <= 60 - done


def test_a_job_in_the_background_of_a_script_can_be_terminated() -> None:
    write(Path("in.jsonl"), *map(row, range(60)))
    ignoring = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.argv.append('--ignored')\n"
    out = Path("out.jsonl")
    with subprocess.Popen([sys.executable, "-c", ignoring + COMMAND], stderr=subprocess.PIPE, text=True) as process:
        while not out.exists() or out.read_bytes().count(b"\n") < 4:
            assert process.poll() is None
            time.sleep(0.005)
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Terminated." in errors
    assert 4 <= len(read(out)) < 60
