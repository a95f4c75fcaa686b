"""The two-endpoint configuration, against two servers of the same API: in Python, and by ``automix serve`` alone."""

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner
from fastapi import FastAPI
from loaded import EXAMPLES, program

from automix_graph import FaissStore
from automix_graph.cli.main import automix
from automix_graph.testing import StaticRetriever
from automix_graph.testing.embeddings import HashEmbeddings
from automix_graph.verification import Logistic

sys.path.append(str(Path(__file__).parents[1] / "models"))  # a server of the API
from openai_api import answering, completion

PASSAGES = ["James Watt patented his steam engine in 1769."]
QUESTION = {"question": "When was it patented?"}
README = (EXAMPLES / "vllm" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    with program("vllm/app.py") as module:
        yield module


def scored(*tokens: tuple[str, float]) -> list[dict[str, Any] | None]:
    """Return log-probabilities of a prompt as vLLM writes them: by token id, nothing for the first position."""
    positions = [{str(n): {"logprob": p, "rank": 1, "decoded_token": t}} for n, (t, p) in enumerate(tokens)]
    return [None, *positions]


@contextmanager
def two_servers(draft_logprob: float) -> Iterator[tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Serve a small model that drafts, and a large one that scores the draft or answers.

    Yields:
        Both addresses, and the requests that each got.
    """
    small: list[dict[str, Any]] = []
    large: list[dict[str, Any]] = []

    def drafts(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        small.append(body)
        return 200, completion(body, "In 1781.")

    def scores(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        large.append(body)
        if "prompt_logprobs" not in body:
            return 200, completion(body, "In 1769.")
        tokens = [("answer:", -9.0), ("In", -0.1), (" 1781", draft_logprob), (".", -0.1)]
        return 200, completion(body, "!") | {"prompt_logprobs": scored(*tokens)}

    with answering(drafts) as small_url, answering(scores) as large_url:
        yield small_url, large_url, small, large


def models(example: ModuleType, small_url: str, large_url: str, patch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    values = {"SMALL_URL": small_url, "SMALL_MODEL": "small", "LARGE_URL": large_url, "LARGE_MODEL": "large"}
    for name, value in values.items():
        patch.setenv(f"VLLM_{name}", value)
    return example.endpoint("SMALL", timeout=5), example.endpoint("LARGE", timeout=5)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # clients of the example keep a connection for the next call
@pytest.mark.parametrize(("logprob", "answer", "route"), [(-0.05, "In 1781.", "small"), (-4.0, "In 1769.", "large")])
async def test_each_model_is_asked_at_its_own_address_and_the_large_one_scores_the_draft(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch, logprob: float, answer: str, route: str
) -> None:
    with two_servers(logprob) as (small_url, large_url, at_small, at_large):
        small, large = models(example, small_url, large_url, monkeypatch)
        graph = example.cascade(small, large, StaticRetriever(PASSAGES), scale=None)
        result = await graph.ainvoke(QUESTION)
    assert (result["answer"], result["route"]) == (answer, route)
    # "In" and "." carry no content: the confidence is the probability of the year.
    assert result["confidence"] == pytest.approx({-0.05: 0.951, -4.0: 0.018}[logprob], abs=1e-3)
    assert [body["model"] for body in at_small] == ["small"]
    assert [body["model"] for body in at_large] == ["large"] * (1 if route == "small" else 2)
    scoring = at_large[0]
    assert scoring["messages"][-1] == {"role": "assistant", "content": "In 1781."}
    asked = {name: scoring[name] for name in ("prompt_logprobs", "add_generation_prompt", "continue_final_message")}
    assert asked == {"prompt_logprobs": 0, "add_generation_prompt": False, "continue_final_message": True}
    assert scoring["max_tokens"] == 1
    if route == "large":
        assert at_large[1]["messages"] == scoring["messages"][:-1], "the answer finds its prompt in the prefix cache"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_fitted_scale_decides(example: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Logistic(intercept=-5.0, weights={"content_mean": 1.0}).save(tmp_path / "scale.json")
    with two_servers(-0.05) as (small_url, large_url, _, _):
        small, large = models(example, small_url, large_url, monkeypatch)
        graph = example.cascade(small, large, StaticRetriever(PASSAGES), scale=tmp_path / "scale.json")
        assert graph.invoke(QUESTION)["route"] == "large"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_program_serves_on_loopback(example: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    FaissStore.from_texts(PASSAGES, HashEmbeddings()).save(tmp_path / "index")
    served: dict[str, Any] = {}

    def run(app: FastAPI, *, host: str, port: int, grace_seconds: float) -> None:
        served.update(host=host, port=port, paths=set(app.openapi()["paths"]))

    monkeypatch.setattr(example, "run", run)
    monkeypatch.setattr(example, "load_embeddings", HashEmbeddings)
    with two_servers(-0.05) as (small_url, large_url, _, _):
        models(example, small_url, large_url, monkeypatch)
        example.main(["--index", str(tmp_path / "index"), "--port", "8124"])
    assert (served["host"], served["port"]) == ("127.0.0.1", 8124)
    assert {"/v1/chat/completions", "/readyz"} <= served["paths"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_automix_serve_asks_each_model_at_its_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    FaissStore.from_texts(PASSAGES, HashEmbeddings()).save(tmp_path / "my-index")
    asked: list[tuple[str, str]] = []

    def says(port: str, text: str) -> Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]:
        def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            asked.append((port, body["model"]))
            return 200, completion(body, text)

        return answer

    async def ask(app: FastAPI) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            body = {"model": "automix", "messages": [{"role": "user", "content": "When was it patented?"}]}
            return await client.post("/v1/chat/completions", json=body)

    answers: list[httpx.Response] = []
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda name: HashEmbeddings())
    monkeypatch.setattr("automix_graph.serving.listening.run", lambda app, **_: answers.append(_run(ask, app)))
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    (line,) = re.findall(r"^automix (serve .+\\\n.+)$", README, re.MULTILINE)
    with answering(says("8001", "In 1769.")) as small, answering(says("8002", "Correct")) as large:
        line = line.replace("my-index", str(tmp_path / "my-index")).replace("\\\n", "")
        line = line.replace("http://127.0.0.1:8001/v1", small).replace("http://127.0.0.1:8002/v1", large)
        done = CliRunner().invoke(automix, [*shlex.split(line), "--port", "0"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert answers[0].json()["choices"][0]["message"]["content"] == "In 1769."
    assert asked == [("8001", "small"), ("8002", "large")]
    assert answers[0].headers["x-automix-cost"] == "0"


def _run(ask: Callable[[FastAPI], Any], app: FastAPI) -> httpx.Response:
    import asyncio

    response: httpx.Response = asyncio.run(ask(app))
    return response


def test_the_files_of_the_servers_agree_with_the_environment() -> None:
    exported = dict(re.findall(r"(VLLM_(?:SMALL|LARGE)_(?:URL|MODEL))=(\S+)", README))
    for name in ("small", "large"):
        settings = yaml.safe_load((EXAMPLES / "vllm" / f"{name}.yaml").read_text(encoding="utf-8"))
        assert settings["served-model-name"] == exported[f"VLLM_{name.upper()}_MODEL"]
        assert exported[f"VLLM_{name.upper()}_URL"] == f"http://{settings['host']}:{settings['port']}/v1"
        assert settings["enable-prefix-caching"] is True
