"""The command in a process of its own: what it refuses, what it serves, how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from starlette.testclient import TestClient

import automix_graph.models
import automix_graph.models.chat
import automix_graph.serving.listening
from automix_graph import FaissStore, Threshold, save_policy
from automix_graph.cli.main import automix
from automix_graph.errors import ConfigurationError
from automix_graph.testing import FunctionChatModel, HashEmbeddings

pytestmark = pytest.mark.integration

PROGRAM = """
import sys
import automix_graph.models, automix_graph.models.chat
from automix_graph.testing import FunctionChatModel, HashEmbeddings
automix_graph.models.load_embeddings = lambda _: HashEmbeddings()
answers = {"small": "1781", "large": "Correct"}
def resolve(name, **options):
    return FunctionChatModel(lambda _: answers[name[2:]], label=name) if isinstance(name, str) else name
automix_graph.models.chat.resolve_chat_model = resolve
sys.argv = ["automix", "serve", *sys.argv[1:]]
from automix_graph.cli.main import main
main()
"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    with FaissStore.from_texts(["James Watt patented his engine in 1781."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    return tmp_path / "index"


def look(app: FastAPI, **options: Any) -> dict[str, Any]:
    """Return what clients see of an application that the command would serve, and where it would listen."""
    with TestClient(app, base_url="http://localhost") as client:
        return options | {
            "models": client.get("/v1/models").json(),
            "answer": client.post("/ask", json={"question": "When did Watt patent his engine?"}).text,
            "readyz": client.get("/readyz").json(),
            "rebound": client.get("/healthz", headers={"host": "rebound.example"}).status_code,
            "keys": [
                client.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code
                for key in ("one", "two", "other", "")
            ],
        }


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Return what the command served; nothing listens."""
    served: list[dict[str, Any]] = []
    loaded: list[str] = []

    def resolve(name: str | FunctionChatModel, *, retries: bool = True) -> FunctionChatModel:
        if not isinstance(name, str):
            return name
        assert name not in loaded, f"{name} is loaded twice"
        loaded.append(name)
        return FunctionChatModel(lambda _: "Correct", label=name)

    monkeypatch.setattr("automix_graph.models.named.resolve_chat_model", resolve)
    monkeypatch.setattr(automix_graph.models, "load_embeddings", lambda _: HashEmbeddings(), raising=False)
    monkeypatch.setattr(
        automix_graph.serving.listening, "run", lambda app, **options: served.append(look(app, **options))
    )
    monkeypatch.delenv("AUTOMIX_API_KEYS", raising=False)
    yield served


def serve(index: Path, *arguments: str) -> Any:
    models = ["--small", "x:small", "--large", "x:large"]
    free = [] if "--port" in arguments else ["--port", "0"]
    return CliRunner().invoke(automix, ["serve", "--index", str(index), *models, *free, *arguments])


def test_policies_are_models_and_models_are_loaded_once(
    index: Path, tmp_path: Path, apps: list[dict[str, Any]]
) -> None:
    for name, minimum in (("default", 0.5), ("strict", 1.0)):
        save_policy(Threshold(minimum), tmp_path / f"{name}.json")
    policies = ["--policy", f"{tmp_path}/default.json", "--policy", f"strict={tmp_path}/strict.json"]
    result = serve(index, *policies, "--verifier", "x:judge", "--port", "0", "--deadline", "5", "--grace", "3")
    assert result.exit_code == 0, result.output
    (served,) = apps
    assert (served["host"], served["port"], served["grace_seconds"]) == ("127.0.0.1", 0, 3.0)
    assert [model["id"] for model in served["models"]["data"]] == ["automix", "strict"]
    assert "James Watt patented" in served["answer"]
    assert served["readyz"] == {
        "ready": True,
        "checks": {"index": "ok", "x:small": "not checked", "x:large": "not checked", "x:judge": "not checked"},
    }
    assert served["rebound"] == 403


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "--insecure-public"),
        (["--keys-file", "{tmp}/none.txt"], "does not exist"),
        (["--keys-file", "{tmp}/empty.txt"], "holds no key"),
        (["--policy", "{tmp}/none.json"], "there is no file"),
        (["--policy", "a={tmp}/p.json", "--policy", "a={tmp}/p.json"], "two policies are named 'a'"),
        (["--policy", "automix={tmp}/p.json"], "the name of the graph itself"),
        (["--max-concurrent", "0"], "not in the range"),
    ],
)
def test_what_cannot_be_served_is_refused(
    index: Path, tmp_path: Path, apps: list[dict[str, Any]], arguments: list[str], message: str
) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    save_policy(Threshold(0.5), tmp_path / "p.json")
    result = serve(index, *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert result.exit_code != 0
    assert message in " ".join((result.output + str(result.exception)).split())
    assert apps == []


@pytest.mark.parametrize(
    ("environment", "arguments"),
    [
        ({"AUTOMIX_API_KEYS": "one, two"}, []),
        ({}, ["--keys-file", "{tmp}/keys.txt"]),
        ({"AUTOMIX_API_KEYS": "other"}, ["--keys-file", "{tmp}/keys.txt"]),
    ],
)
def test_keys_open_the_server_to_others(
    index: Path,
    tmp_path: Path,
    apps: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: list[str],
) -> None:
    (tmp_path / "keys.txt").write_text("# for tests\none\n two \n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = serve(index, "--host", "0.0.0.0", *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert result.exit_code == 0, result.output
    assert (apps[0]["keys"], apps[0]["rebound"]) == ([200, 200, 401, 401], 200)


def test_an_address_that_is_taken_is_told_before_anything_is_loaded(
    index: Path, apps: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automix_graph.models, "load_embeddings", lambda _: pytest.fail("loaded"), raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = serve(index, "--port", str(port))
    assert isinstance(refused.exception, ConfigurationError)
    assert refused.exception.code == "server-address"
    assert f"cannot listen on 127.0.0.1 at port {port}: Address already in use" in str(refused.exception)
    assert not apps
    elsewhere = serve(index, "--host", "192.0.2.1", "--insecure-public")
    assert "cannot listen on 192.0.2.1" in str(elsewhere.exception)


def test_keys_are_no_option() -> None:
    help_text = CliRunner().invoke(automix, ["serve", "--help"]).output
    assert not re.search(r"--(api-)?key\b", help_text)
    assert "AUTOMIX_API_KEYS" in help_text


def test_the_process_serves_logs_and_ends_on_a_signal(index: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "--index", str(index), "--small", "x:small", "--large", "x:large"]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-langserve"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        address = next(match[0] for line in process.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with httpx.Client(base_url=address, trust_env=False) as client:
            body = {"model": "automix", "messages": [{"role": "user", "content": "When did Watt patent it?"}]}
            response = client.post("/v1/chat/completions", json=body, headers={"x-request-id": "me"})
        assert response.json()["choices"][0]["message"]["content"] == "1781"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
        line = json.loads(process.stdout.readline())
        assert (line["request_id"], line["route"], line["status"]) == ("me", "small", 200)
        assert "Watt" not in process.stderr.read()
