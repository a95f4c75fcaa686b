"""Whether a server could answer now: seldom asked, never for long, and at no cost."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from served import make_graph
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.readiness import Readiness, model_check, retriever_check
from automix_graph.testing import ScriptedChatModel, StaticRetriever


class Counting:
    def __init__(self, *results: bool | Exception) -> None:
        self.results = list(results)
        self.calls = 0

    async def __call__(self) -> bool:
        self.calls += 1
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def test_a_part_that_fails_makes_the_server_unready_and_nothing_of_it_is_told() -> None:
    checks = {"index": Counting(True), "model": Counting(RuntimeError("SECRET")), "other": Counting(False)}
    settings = ServingSettings(langserve=False)
    with TestClient(create_app(make_graph(), settings=settings, checks=checks)) as ask:
        response = ask.get("/readyz")
        assert ask.get("/healthz").json() == {"status": "ok"}
    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "checks": {"index": "ok", "model": "failed", "other": "not checked"},
    }


def test_a_server_without_checks_is_ready() -> None:
    with TestClient(create_app(make_graph(), settings=ServingSettings(langserve=False))) as ask:
        assert (ask.get("/readyz").status_code, ask.get("/readyz").json()["ready"]) == (200, True)


async def test_findings_hold_for_a_while_and_are_made_once() -> None:
    check = Counting(True, RuntimeError())
    readiness = Readiness({"part": check}, holds=0.2, timeout=1)
    found = await asyncio.gather(*(readiness.findings() for _ in range(5)))
    assert found == [{"part": "ok"}] * 5
    assert check.calls == 1
    await asyncio.sleep(0.25)
    assert await readiness.findings() == {"part": "failed"}


async def test_a_part_that_hangs_is_not_waited_for() -> None:
    async def hang() -> bool:
        await asyncio.sleep(60)
        return True

    readiness = Readiness({"one": hang, "two": hang}, holds=1, timeout=0.05)
    assert await asyncio.wait_for(readiness.findings(), 1) == {"one": "failed", "two": "failed"}


async def test_a_retriever_is_searched() -> None:
    assert await retriever_check(StaticRetriever(["a"]))() is True


async def test_a_model_is_asked_for_an_answer_only_on_request() -> None:
    model = ScriptedChatModel(["OK"])
    assert await model_check(model)() is False
    assert await model_check(model, asks=True)() is True
    model.assert_consumed()


async def test_a_server_of_openai_s_api_is_asked_for_its_models() -> None:
    asked: list[str] = []

    async def list_models() -> list[Any]:
        asked.append("models")
        return []

    class Hosted(FakeListChatModel):
        root_async_client: Any = None

    client = SimpleNamespace(models=SimpleNamespace(list=list_models))
    assert await model_check(Hosted(responses=[], root_async_client=client))() is True
    assert asked == ["models"]


@pytest.mark.parametrize("status", [200, 401])
async def test_langchain_s_openai_model_has_what_the_check_uses(status: int) -> None:
    import httpx
    from langchain_openai import ChatOpenAI

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", "/v1/models")
        return httpx.Response(status, json={"object": "list", "data": []})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        model = ChatOpenAI(
            model="m",
            base_url="http://127.0.0.1:1/v1",
            api_key="none",  # type: ignore[arg-type]  # pydantic makes a secret of it
            max_retries=0,
            http_async_client=client,
        )
        findings = await Readiness({"m": model_check(model)}, holds=1, timeout=5).findings()
    assert findings == {"m": "ok" if status == 200 else "failed"}
