"""``automix record`` as a user runs it, over models that are functions."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automix_graph.cli.main import automix
from automix_graph.evaluation.record_files import read_records
from automix_graph.retrieval import FaissStore
from automix_graph.testing import FunctionChatModel, HashEmbeddings, ScriptedReply

pytestmark = pytest.mark.integration

MODELS = ("--small", "test:small", "--large", "test:large", "--verifier", "test:judge")
PRICES = ("--price", "test:small=1/1", "--price", "test:large=1/1", "--price", "test:judge=1/1")
TEXTS = {
    "test:small": "June",
    "test:mid": "May",
    "test:large": "May",
    "test:judge": "Incorrect",
    "test:scorer": "Correct",
}


def model_of(spec: Any, *, retries: bool = True) -> Any:
    """Return a model that always says the same; the small one fails at event 3."""
    if not isinstance(spec, str):
        return spec

    def say(prompt: str) -> Any:
        if spec == "test:small" and "event 3?" in prompt:
            return ConnectionError("down")
        return ScriptedReply(text=TEXTS[spec], usage=(100, 10))

    return FunctionChatModel(say, label=spec)


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automix_graph.models.named.resolve_chat_model", model_of)
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda name: HashEmbeddings())


def row(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "question": f"When was event {number}?",
        "answers": "May",
        "context": f"Event {number} was in May.",
        **values,
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def data_of(*rows: dict[str, Any], more: str = "") -> None:
    Path("data.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows) + more, encoding="utf-8")


def record(*arguments: str) -> Result:
    return CliRunner().invoke(automix, ["record", "data.jsonl", "--out", "out.jsonl", *MODELS, *arguments])


def test_json_says_all_that_the_lines_say(folder: Path) -> None:
    data_of(row(1), row(2, answers="June"), row(4, answers=None))
    result = record("--json", *PRICES, "--parquet", "out.parquet")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed.pop("seconds") > 0
    assert printed == {
        "out": "out.jsonl",
        "parquet": "out.parquet",
        "total": 3,
        "recorded": 3,
        "added": 3,
        "failed": [],
        "bad": [],
        "scored": 2,
        "scorer": "auto",
        "small": 0.5,
        "large": 0.5,
        "own_context": 3,
        "cost": pytest.approx(990e-6),
        "cost_at_least": pytest.approx(990e-6),
        "cost_now": pytest.approx(990e-6),
        "cost_now_at_least": pytest.approx(990e-6),
        "cut": 0,
        "complete": True,
    }
    assert read_records("out.parquet").rows == read_records("out.jsonl").rows


def test_the_summary_lists_what_failed_and_says_what_to_do(folder: Path) -> None:
    data_of(row(1), row(3), more="{\n")
    result = record(*PRICES)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "recorded: 1 of 2 rows, 1 of them now",
        "failed: '3': the small model gave no answer: ConnectionError",
        "cannot be used: line 3: it is no JSON: Expecting property name enclosed in double quotes: "
        "line 2 column 1 (char 2)",
    ]
    assert lines[3] == "score (auto, 1 rows): small 0.0000, large 1.0000"
    assert lines[4].startswith("cost: at least $0.000440, at least $0.000440 of it now; ")
    assert lines[5:] == [
        "records: out.jsonl",
        "The same command asks again about the rows that failed.",
        "compare policies: automix evaluate out.jsonl --price test:small=1/1 --price test:large=1/1 "
        "--price test:judge=1/1",
    ]


def test_the_next_command_works(folder: Path) -> None:
    data_of(*(row(number, answers=["May"] if number % 2 else ["June"]) for number in range(10, 30)))
    for out, prices in (("priced.jsonl", PRICES), ("unpriced.jsonl", ())):
        result = CliRunner().invoke(automix, ["record", "data.jsonl", "--out", out, *MODELS, *prices])
        told = result.stdout.splitlines()[-1].removeprefix("compare policies: automix ").split()
        assert told[:2] == ["evaluate", out]
        assert ("--unit" in told) == (not prices)
        assert CliRunner().invoke(automix, [*told, "--resamples", "10", "--json"]).exit_code == 0


def test_the_same_command_goes_on(folder: Path) -> None:
    data_of(row(1), row(2), row(4))
    assert record("--limit", "2").exit_code == 0
    assert record().stdout.startswith("recorded: 3 of 3 rows, 1 of them now")
    assert record().stdout.startswith("recorded: 3 of 3 rows, 0 of them now")


def test_an_index_serves_the_rows_without_a_context(folder: Path) -> None:
    with FaissStore.from_texts(["Event 1 was in spring.", "Owls fly."], HashEmbeddings()) as store:
        store.save("index")
    data_of(row(1), row(2, context=None))
    result = record("--index", "index", "-k", "1", "--search", "bm25")
    assert result.exit_code == 0, result.output
    assert "1 rows were answered from a context of their own" in result.stdout
    found = {one.id: one.record for one in read_records("out.jsonl").rows}
    assert [passage.text for passage in found["1"].passages] == ["Event 1 was in May."]  # type: ignore[union-attr]
    assert [passage.text for passage in found["2"].passages] == ["Event 1 was in spring."]  # type: ignore[union-attr]
    refused = record("--index", "index", "-k", "2", "--search", "bm25")
    assert isinstance(refused.exception, ValueError)
    assert "retrieval.search_kwargs.k is 1 in the file, and 2 now" in str(refused.exception)


def test_a_context_is_ignored_on_demand(folder: Path) -> None:
    with FaissStore.from_texts(["Found."], HashEmbeddings()) as store:
        store.save("index")
    data_of(row(1))
    result = record("--index", "index", "--ignore-context", "--json")
    assert json.loads(result.stdout)["own_context"] == 0
    record_ = read_records("out.jsonl").rows[0].record
    assert record_ is not None
    assert [passage.text for passage in record_.passages] == ["Found."]


def test_rows_without_answers_are_told_before_anything_is_paid(folder: Path) -> None:
    data_of(row(1), row(2, answers=[]))
    assert "No row has answers" not in record().stderr
    data_of(row(4, answers=[]), row(5, answers=[]))
    result = CliRunner().invoke(automix, ["record", "data.jsonl", "--out", "unscored.jsonl", *MODELS])
    assert result.exit_code == 0
    assert result.stderr.startswith("No row has answers, so nothing will be scored")
    data_of(more="{\n")
    assert "No row has answers" not in record("--out", "bad.jsonl").stderr


def test_scorers(folder: Path) -> None:
    data_of(row(1))
    result = record("--score", "judge:test:scorer", "--price", "test:scorer=1/1", *PRICES, "--json")
    printed = json.loads(result.stdout)
    assert (printed["scorer"], printed["small"], printed["large"]) == ("judge:test:scorer", 1.0, 1.0)
    assert printed["cost"] == pytest.approx(5 * 110e-6)
    result = CliRunner().invoke(
        automix, ["record", "data.jsonl", "--out", "f1.jsonl", *MODELS, "--score", "f1", "--json"]
    )
    assert json.loads(result.stdout)["scorer"] == "f1"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["data.jsonl", "--out", "out.jsonl", "--score", "nope"], 2, "'nope' is unknown; use one of auto"),
        (["data.jsonl", "--out", "out.parquet"], 2, "--parquet out.parquet"),
        (["data.jsonl", "--out", "data.jsonl"], 2, "is the data set itself"),
        (["data.jsonl", "--out", "out.jsonl", "--ignore-context"], 2, "--ignore-context needs --index"),
        (["data.jsonl", "--out", "out.jsonl", "--price", "x"], 2, "is no price"),
        (["data.jsonl", "--out", "out.jsonl", "--price", "x=1/1"], 1, "prices name ['x']"),
        (["none.jsonl", "--out", "out.jsonl"], 2, "does not exist"),
        (["bare.jsonl", "--out", "out.jsonl"], 1, "give --index DIR"),
        (["bare.jsonl", "--out", "out.jsonl", "--index", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_recorded_is_refused_first(
    folder: Path, arguments: list[str], status: int, message: str
) -> None:
    data_of(row(1))
    Path("bare.jsonl").write_text('{"id": 1, "question": "When?"}\n')
    before = Path("data.jsonl").read_bytes()
    result = CliRunner().invoke(automix, ["record", *arguments, *MODELS])
    assert result.exit_code == status
    assert message in (result.output + str(result.exception))
    assert Path("data.jsonl").read_bytes() == before
    assert not Path("out.jsonl").exists()


INTERRUPTED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from automix_graph.cli.main import main
import automix_graph.models.named as named_models
from automix_graph.testing import FunctionChatModel
def say(prompt):
    time.sleep(0.05)
    return "May"
def resolve(spec, **_):
    return FunctionChatModel(say, label=spec) if isinstance(spec, str) else spec
named_models.resolve_chat_model = resolve
sys.argv = ["automix", "record", "data.jsonl", "--out", "out.jsonl", "--small", "a", "--large", "b"]
main()
"""


def test_ctrl_c_says_how_to_go_on(folder: Path) -> None:
    data_of(*(row(number) for number in range(100)))
    out = Path("out.jsonl")
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stderr=subprocess.PIPE, text=True) as process:
        while not out.exists() or out.read_bytes().count(b"\n") < 4:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "What is done is in out.jsonl; the same command goes on from there." in errors
    assert "Traceback" not in errors
    assert 3 <= len(read_records(out).rows) < 100
    assert not read_records(out).unfinished


@pytest.mark.parametrize(("label", "expected"), [("local:x", 1), ("openai:x", 4)])
def test_local_models_work_on_one_question_at_a_time(label: str, expected: int) -> None:
    from automix_graph.cli.record import _concurrency
    from automix_graph.graph.all_tiers import AllTiers

    def model(name: str) -> FunctionChatModel:
        return FunctionChatModel(str.upper, label=name)

    tiers = AllTiers(small=model("local:s"), large=model(label))
    assert _concurrency(tiers, None) == expected
    assert _concurrency(AllTiers(small=model("local:s"), large=model("local:l")), label) == expected


def test_three_models_are_recorded_evaluated_and_calibrated(folder: Path) -> None:
    data_of(*(row(number) for number in range(10, 150)))
    models = ("--tier", "test:small", "--tier", "test:mid", "--tier", "test:large", "--verifier", "test:judge")
    arguments = ["record", "data.jsonl", "--out", "out.jsonl", *models, *PRICES, "--price", "test:mid=4/4", "--json"]
    recorded = CliRunner().invoke(automix, arguments)
    assert recorded.exit_code == 0, recorded.exception
    printed = json.loads(recorded.stdout)
    assert (printed["small"], printed["middle"], printed["large"]) == (0.0, 1.0, 1.0)

    prices = [*PRICES, "--price", "test:mid=4/4"]
    evaluated = CliRunner().invoke(automix, ["evaluate", "out.jsonl", *prices, "--json"])
    assert evaluated.exit_code == 0, evaluated.output
    figures = json.loads(evaluated.stdout)
    assert (figures["n"], figures["small"], figures["quality"], figures["large"]) == (140, 0.0, 1.0, 1.0)

    calibrated = CliRunner().invoke(
        automix, ["calibrate", "out.jsonl", *prices, "--price-of-error", "1", "--out", "policy.json"]
    )
    assert calibrated.exit_code == 0, calibrated.output
    made = json.loads((folder / "policy.json").read_text())["calibration"]["made_for"]["tiers"]
    assert [(tier["name"], tier["model"]) for tier in made] == [
        ("small", "test:small"),
        ("middle", "test:mid"),
        ("large", "test:large"),
    ]
    assert [tier["verifier"] and tier["verifier"]["judges"] for tier in made] == [["test:judge"], ["test:judge"], None]
