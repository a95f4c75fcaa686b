"""LangServe's own client against a server on this machine: typed, and nothing but committed output."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from langchain_core.outputs import ChatResult
from langserve import RemoteRunnable
from served import DRAFT, LARGE, PatientModel, Running, make_graph, served
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, add_automix_routes, create_app
from automix_graph.serving.doors.langserve_routes import MAX_AT_ONCE, CommittedRunnable
from automix_graph.serving.service import Service

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),  # LangServe's own
    pytest.mark.filterwarnings("ignore:astream_log is deprecated"),
    pytest.mark.filterwarnings("ignore:.*astream_events:DeprecationWarning"),
]
ROUTES = [("easy", DRAFT, "small"), ("hard", LARGE, "large")]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    app = FastAPI()
    add_automix_routes(app, make_graph(), path="/qa")
    with served(app) as running:
        yield running


@pytest.fixture
def remote(running: Running) -> Iterator[RemoteRunnable[Any, Any]]:
    remote = RemoteRunnable[Any, Any](f"{running.url}/qa/", client_kwargs={"trust_env": False})
    yield remote
    remote.sync_client.close()


@pytest.mark.parametrize(("question", "answer", "route"), ROUTES)
def test_the_remote_runnable_answers(remote: RemoteRunnable[Any, Any], question: str, answer: str, route: str) -> None:
    output = remote.invoke({"question": question})
    assert (output["answer"], output["route"], output["degraded"]) == (answer, route, False)
    assert [document.page_content for document in output["documents"]] == ["First passage.", "Second passage."]
    assert output["cost"] == pytest.approx(sum(call["cost"] for call in output["usage"]["calls"]))


def test_the_remote_runnable_answers_batches_in_order(remote: RemoteRunnable[Any, Any]) -> None:
    questions = ["easy", "hard"] * 5
    outputs = remote.batch([{"question": question} for question in questions])
    assert [output["answer"] for output in outputs] == [DRAFT, LARGE] * 5


def test_a_batch_does_not_fill_the_server() -> None:
    together, most = 0, 0

    class Counted(PatientModel):
        async def _agenerate(self, *arguments: Any, **options: Any) -> ChatResult:
            nonlocal together, most
            together += 1
            most = max(most, together)
            await asyncio.sleep(0.02)
            together -= 1
            return await super()._agenerate(*arguments, **options)

    graph = make_graph(small=Counted(label="small"))
    with TestClient(create_app(graph)) as ask:
        response = ask.post("/automix/batch", json={"inputs": [{"question": "easy"}] * 12})
    assert len(response.json()["output"]) == 12
    assert most == MAX_AT_ONCE


@pytest.mark.parametrize(("question", "answer", "route"), ROUTES)
def test_the_chunks_of_a_stream_add_up_to_the_output(
    remote: RemoteRunnable[Any, Any], question: str, answer: str, route: str
) -> None:
    *pieces, rest = remote.stream({"question": question})
    assert "".join(piece["answer"] for piece in pieces) == answer
    assert rest["route"] == route
    assert set(rest) == {"route", "confidence", "verdict", "documents", "usage", "cost", "degraded", "degraded_reason"}


async def test_events_show_the_runnable_and_nothing_inside_it(running: Running) -> None:
    remote = RemoteRunnable[Any, Any](f"{running.url}/qa/", client_kwargs={"trust_env": False})
    events = [event async for event in remote.astream_events({"question": "hard"}, version="v2")]
    assert {event["name"] for event in events} == {"/qa"}
    streamed = [event["data"]["chunk"] for event in events if event["event"] == "on_chain_stream"]
    assert "".join(chunk.get("answer", "") for chunk in streamed) == LARGE
    remote.sync_client.close()
    await remote.async_client.aclose()


@pytest.mark.parametrize("endpoint", ["invoke", "stream", "stream_log", "stream_events"])
def test_a_rejected_draft_is_in_no_byte(running: Running, endpoint: str) -> None:
    text = httpx.post(f"{running.url}/qa/{endpoint}", json={"input": {"question": "hard"}}, trust_env=False).text
    assert "LARGE" in text
    assert "DRAFT" not in text
    assert "Incorrect" not in text
    assert "small_answer" not in text.replace('"stage":"small_answer"', "").replace('"stage": "small_answer"', "")


def test_the_playground_is_typed(running: Running) -> None:
    with httpx.Client(base_url=running.url, trust_env=False) as ask:
        assert ask.get("/qa/playground/").status_code == 200
        assert list(ask.get("/qa/input_schema").json()["properties"]) == ["question"]
        assert ask.get("/qa/output_schema").json()["required"][:2] == ["answer", "route"]
        refused = ask.post("/qa/invoke", json={"input": {"questoin": "easy"}})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["question"]


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; a=json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("endpoint", ["invoke", "batch", "stream", "stream_log", "stream_events"])
def test_a_body_that_does_not_say_that_it_is_json_is_refused(running: Running, endpoint: str, kind: str) -> None:
    body = json.dumps({"inputs" if endpoint == "batch" else "input": {"question": "easy"}})
    url, headers = f"{running.url}/qa/{endpoint}", {"content-type": kind} if kind else {}
    refused = httpx.post(url, content=body, headers=headers, trust_env=False)
    assert refused.status_code == 422
    assert "Content-Type" in refused.text


def test_a_kind_of_json_is_json(running: Running) -> None:
    for kind in ("Application/JSON; charset=utf-8", "application/ld+json"):
        body, headers = json.dumps({"input": {"question": "easy"}}), {"content-type": kind}
        asked = httpx.post(f"{running.url}/qa/invoke", content=body, headers=headers, trust_env=False)
        assert asked.json()["output"]["answer"] == DRAFT


def test_the_playground_shows_the_output_in_one_piece(running: Running) -> None:
    text = httpx.post(f"{running.url}/qa/stream_log", json={"input": {"question": "hard"}}, trust_env=False).text
    operations = [
        operation
        for line in text.splitlines()
        if line.startswith("data: {")
        for operation in json.loads(line.removeprefix("data: "))["ops"]
    ]
    (shown,) = [operation["value"] for operation in operations if operation["path"] == "/streamed_output/-"]
    assert (shown["answer"], shown["route"]) == (LARGE, "large")


def test_failures_have_a_status_and_no_words_of_a_provider() -> None:
    graph = make_graph(large=PatientModel(error_at=0), on_large_failure="raise")
    with TestClient(create_app(graph, settings=ServingSettings(max_question_characters=10))) as ask:
        failed = ask.post("/automix/invoke", json={"input": {"question": "hard"}})
        batch = ask.post("/automix/batch", json={"inputs": [{"question": "easy"}, {"question": "hard"}]})
        streamed = ask.post("/automix/stream", json={"input": {"question": "hard"}})
        for long in ("invoke", "batch"):
            body = {"inputs": [{"question": "x" * 11}]} if long == "batch" else {"input": {"question": "x" * 11}}
            assert ask.post(f"/automix/{long}", json=body).status_code == 413
    assert (failed.status_code, batch.status_code) == (502, 502)
    assert "event: error" in streamed.text
    assert "SECRET" not in failed.text + batch.text + streamed.text


async def test_an_answer_that_breaks_off_is_no_answer() -> None:
    graph = make_graph(large=PatientModel(pieces=("half", "an answer"), error_at=1))
    runnable = CommittedRunnable(Service({"automix": graph}, settings=ServingSettings()), "automix")
    with pytest.raises(Exception, match="in the middle of its answer"):
        [chunk async for chunk in runnable.astream({"question": "hard"})]
    assert (await runnable.ainvoke({"question": "hard"}))["degraded"] is True
    with pytest.raises(NotImplementedError, match="ainvoke"):
        runnable.invoke({"question": "hard"})


def test_langserve_can_be_left_out() -> None:
    with TestClient(create_app(make_graph(), settings=ServingSettings(langserve=False))) as ask:
        assert ask.post("/automix/invoke", json={"input": {"question": "easy"}}).status_code == 404
