"""Routes that somebody adds to the application: they have its limits, and are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel
from served import DRAFT, KEY, PatientModel, bearer, make_graph
from starlette.testclient import TestClient

from automix_graph.errors import ConfigurationError
from automix_graph.serving import Service, ServingSettings, create_app
from automix_graph.serving.gate import connection


class Turn(BaseModel):
    thread: str
    question: str


def application(graph: Any, **settings: Any) -> FastAPI:
    """Return an application with a door of somebody else's: threads, and one that never ends."""
    app = create_app(make_graph(), settings=ServingSettings(working_paths=("/own",), langserve=False, **settings))
    service: Service = app.state.service
    threads = service.beside("threads", graph)

    @app.post("/own/threads")
    async def ask(turn: Turn) -> dict[str, Any]:
        outcome = await threads.outcome("threads", turn.question, thread=turn.thread)
        return {"answer": outcome.output["answer"]}

    @app.post("/own/endless")
    async def endless() -> None:
        await asyncio.sleep(60)

    return app


def turn(question: str, thread: str = "one") -> dict[str, str]:
    return {"thread": thread, "question": question}


@pytest.fixture
def ask() -> Iterator[TestClient]:
    with TestClient(application(make_graph(), keys=(KEY,), max_body_bytes=200), headers=bearer(KEY)) as client:
        yield client


def test_an_added_route_is_guarded_and_counted(ask: TestClient) -> None:
    assert ask.post("/own/threads", json=turn("easy"), headers={"authorization": ""}).status_code == 401
    assert ask.post("/own/threads", json=turn("easy")).json() == {"answer": DRAFT}
    assert ask.post("/own/threads", json=turn("x" * 200)).json()["error"]["code"] == "body_too_large"
    found = ask.get("/metrics").text
    for line in (
        'automix_requests_total{door="added",status="200"} 1.0',
        'automix_requests_total{door="added",status="401"} 1.0',
        'automix_requests_total{door="added",status="413"} 1.0',
        'automix_answers_total{route="small",served_model="threads"} 1.0',
        'automix_model_calls_total{model="small",outcome="answered",stage="small_answer"} 1.0',
    ):
        assert line in found
    assert "threads" not in [model["id"] for model in ask.get("/v1/models").json()["data"]]


def test_an_added_route_takes_a_place() -> None:
    app = application(make_graph(), max_concurrent=1, deadline_seconds=0.5)
    statuses: list[int] = []

    @app.post("/own/nested")
    async def nested() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as inner:
            statuses.append((await inner.post("/own/threads", json=turn("easy"))).status_code)

    with TestClient(app) as ask:
        ask.post("/own/nested")
        assert statuses == [429]
        assert ask.post("/own/threads", json=turn("easy")).status_code == 200


def test_a_question_of_an_added_route_ends_with_the_deadline() -> None:
    slow = PatientModel(pause=30.0)
    with TestClient(application(make_graph(large=slow), deadline_seconds=0.2)) as ask:
        late = ask.post("/own/threads", json=turn("hard"))
        assert (late.status_code, late.json()["error"]["code"]) == (504, "deadline_exceeded")
        assert slow.cancelled.is_set()


def test_an_added_route_that_knows_no_deadline_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LATE_SECONDS", 0.05)
    with TestClient(application(make_graph(), deadline_seconds=0.1)) as ask:
        began = time.monotonic()
        late = ask.post("/own/endless")
        assert time.monotonic() - began < 3
        assert (late.status_code, late.json()["error"]["code"]) == (504, "deadline_exceeded")
        assert 'automix_errors_total{code="deadline_exceeded"} 1.0' in ask.get("/metrics").text


def test_a_thread_keeps_what_was_said_on_it() -> None:
    seen: list[str] = []

    def small(prompt: str) -> str:
        seen.append(prompt)
        return DRAFT

    graph = make_graph(small=small, condense=True).copy(update={"checkpointer": InMemorySaver()})
    with TestClient(application(graph)) as ask:
        for thread, question in (("one", "Who was it?"), ("one", "When did he die?"), ("two", "When did he die?")):
            assert ask.post("/own/threads", json=turn(question, thread)).json() == {"answer": DRAFT}
    # On the first thread the small model is asked once more, to make the second question stand alone.
    assert [("Who was it?" in prompt) for prompt in seen] == [True, True, False, False]


@pytest.mark.parametrize("path", ["own", "/own/", "/"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="begin with a slash"):
        ServingSettings(working_paths=(path,))
