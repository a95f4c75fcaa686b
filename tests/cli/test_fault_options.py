"""What a user says of failures on the command line, as commands act on it; models are functions that count."""

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automix_graph.cli.main import automix
from automix_graph.models import named
from automix_graph.retrieval import FaissStore
from automix_graph.testing import FunctionChatModel, HashEmbeddings

INDEX = ("--index", "index")
MODELS = ("--small", "test:small", "--large", "test:large", "--verifier", "test:judge")


class Models:
    """What the three models do, and how often they are asked."""

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {"test:small": "draft", "test:judge": "Incorrect", "test:large": "answer"}
        self.asked: Counter[str] = Counter()

    def resolve(self, spec: Any, **settings: Any) -> Any:
        if not isinstance(spec, str):
            return spec

        def say(_: str) -> Any:
            self.asked[spec] += 1
            return self.replies[spec]

        return FunctionChatModel(say, label=spec)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    found = Models()
    monkeypatch.setattr(named, "resolve_chat_model", found.resolve)
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda name: HashEmbeddings())
    monkeypatch.setattr("automix_graph.models.retrying.random", SimpleNamespace(random=lambda: 0.0))
    monkeypatch.chdir(tmp_path)
    with FaissStore.from_texts(["Something happened."], HashEmbeddings()) as store:
        store.save("index")
    row = {"id": 1, "question": "What happened?", "answers": ["answer"]}
    Path("in.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return found


@pytest.fixture
def no_retriever(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*arguments: Any, **options: Any) -> Any:
        raise TimeoutError("the disk is gone")

    for name in ("search", "asearch"):
        monkeypatch.setattr(FaissStore, name, down)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(automix, list(arguments))


def ask(*arguments: str) -> dict[str, Any]:
    result = run("ask", "What happened?", *INDEX, *MODELS, "--json", *arguments)
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


def batch(*arguments: str) -> dict[str, Any]:
    result = run("batch", "in.jsonl", "out.jsonl", *INDEX, *MODELS, *arguments)
    assert result.exit_code in (0, 1), result.output
    row: dict[str, Any] = json.loads(Path("out.jsonl").read_text(encoding="utf-8"))
    return row


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [((), 3), (("--retries", "0"), 1), (("--retries", "4"), 5), (("--retries", "4", "--retry-seconds", "0"), 1)],
)
def test_a_call_is_made_again_as_often_as_was_said(models: Models, arguments: tuple[str, ...], calls: int) -> None:
    models.replies["test:large"] = ConnectionError("down")
    assert ask(*arguments)["degraded"] is True
    assert models.asked == {"test:small": 1, "test:judge": 1, "test:large": calls}
    models.asked.clear()
    assert batch(*arguments)["degraded"] is True
    assert models.asked["test:large"] == calls
    models.asked.clear()
    run("record", "in.jsonl", "--out", "records.jsonl", *INDEX, *MODELS, *arguments)
    assert models.asked["test:large"] == calls


def test_a_last_model_that_fails_can_be_an_error(models: Models) -> None:
    models.replies["test:large"] = ConnectionError("down")
    result = run("ask", "What happened?", *INDEX, *MODELS, "--retries", "0", "--on-large-failure", "raise")
    assert (result.exit_code, "large_answer" in str(result.exception)) == (1, True)
    row = batch("--retries", "0", "--on-large-failure", "raise")
    assert row["answer"] is None
    assert "large_answer" in row["error"]


@pytest.mark.usefixtures("no_retriever")
def test_a_retriever_that_fails_is_an_error_or_leaves_an_answer_without_passages(models: Models) -> None:
    search = ("--search", "similarity")
    result = run("ask", "What happened?", *INDEX, *MODELS, *search)
    assert (result.exit_code, type(result.exception)) == (1, TimeoutError)
    answered = ask(*search, "--on-retriever-failure", "answer")
    assert (answered["answer"], answered["degraded_reason"]) == ("answer", "retriever failed: TimeoutError")
    row = batch(*search, "--on-retriever-failure", "answer")
    assert (row["answer"], row["degraded_reason"]) == ("answer", "retriever failed: TimeoutError")
    assert models.asked == {"test:large": 2}


def test_a_batch_under_other_settings_is_another_batch(models: Models) -> None:
    assert batch()["answer"] == "answer"
    result = run("batch", "in.jsonl", "out.jsonl", *INDEX, *MODELS, "--on-large-failure", "raise")
    assert result.exit_code == 1
    assert "on_large_failure" in str(result.exception)


def test_a_step_has_its_own_time(models: Models) -> None:
    from automix_graph.testing import ScriptedReply

    models.replies["test:small"] = ScriptedReply(text="late", seconds=0.3)
    answered = ask("--limit-node-seconds", "0.1")
    assert (answered["answer"], answered["route"], answered["degraded"]) == ("answer", "large", False)
    assert answered["usage"]["calls"][0]["error"] == "limit on node_seconds reached"


@pytest.mark.parametrize("command", ["ask", "batch", "serve", "record"])
def test_commands_that_ask_models_take_the_options(command: str) -> None:
    text = " ".join(run(command, "--help").output.split())
    assert "--retries N" in text
    assert "--retry-seconds S" in text
    assert ("--on-retriever-failure [raise|answer]" in text) is (command != "record")
    assert ("--on-large-failure [degrade|raise]" in text) is (command != "record")
    assert ("--limit-node-seconds S" in text) is (command != "record")


def test_models_that_are_served_are_asked_again_as_often(models: Models) -> None:
    from automix_graph.cli.serve import loaded
    from automix_graph.graph import ModelTier
    from automix_graph.models.retrying import Retries

    small, _ = loaded([ModelTier(model="test:small"), ModelTier(model="test:large")], Retries(attempts=7))
    assert isinstance(small.model, named.NamedModel)
    assert small.model.retries.attempts == 7
