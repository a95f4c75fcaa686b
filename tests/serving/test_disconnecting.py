"""Clients that leave or do not read, and a server that ends: what becomes of requests in work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from typing import Any

import httpx
import pytest
from served import CHAT, PatientModel, chat, make_graph, served, until

from automix_graph.serving import ServingSettings, create_app, server_config
from automix_graph.serving.gate.connection import while_connected
from automix_graph.serving.gate.observed import Observed
from automix_graph.serving.listening import ACCESS_LOG
from automix_graph.serving.metrics import Metrics

pytestmark = pytest.mark.integration


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")  # LangServe's own
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, chat("hard")),
        (CHAT, chat("hard", stream=True)),
        ("/ask", {"question": "hard"}),
        ("/automix/invoke", {"input": {"question": "hard"}}),
        ("/automix/stream", {"input": {"question": "hard"}}),
        ("/automix/batch", {"inputs": [{"question": "hard"}, {"question": "easy"}]}),
    ],
)
async def test_a_client_that_leaves_cancels_the_calls_that_it_caused(
    asking: httpx.AsyncClient, patient: PatientModel, caplog: pytest.LogCaptureFixture, path: str, body: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO, logger="automix_graph")
    task = asyncio.create_task(asking.post(path, json=body))
    await until(patient.started)
    assert not patient.cancelled.is_set()
    task.cancel()
    await until(patient.cancelled)
    for _ in range(100):
        lines = [json.loads(record.message) for record in caplog.records if record.name == ACCESS_LOG]
        if lines:
            break
        await asyncio.sleep(0.02)
    assert lines[0]["error"] == "client_disconnected"


async def test_what_follows_a_complete_response_is_not_cancelled() -> None:
    complete, tidied = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert await receive() == {"type": "http.request", "body": b"body", "more_body": False}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        await asyncio.sleep(0.05)
        tidied.set()

    async def receive() -> Any:
        await complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            complete.set()

    await while_connected(app, {"type": "http"}, b"body", receive, send)
    assert tidied.is_set()


@pytest.mark.parametrize("lingers", [0.05, 30.0])
async def test_a_client_that_does_not_read_is_borne_for_a_while(
    monkeypatch: pytest.MonkeyPatch, lingers: float
) -> None:
    monkeypatch.setattr("automix_graph.serving.gate.connection._LINGER_SECONDS", lingers)
    app = create_app(make_graph(), settings=ServingSettings(deadline_seconds=0.05, langserve=False))
    body = json.dumps(chat("easy", stream=True)).encode()
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": [(b"content-type", b"application/json")]}
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.sleep(60)

    async def send(_: Any) -> None:
        await asyncio.sleep(60)

    work = asyncio.create_task(app(scope | {"query_string": b"", "http_version": "1.1"}, receive, send))
    done, _ = await asyncio.wait({work}, timeout=1)
    assert bool(done) is (lingers < 1)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


def test_requests_in_work_end_before_the_server_does() -> None:
    patient = PatientModel(pieces=("the ", "end"), pause=0.3)
    with served(create_app(make_graph(large=patient))) as running, httpx.Client(trust_env=False) as ask:
        body = chat("hard", stream=True)
        with ask.stream("POST", f"{running.url}{CHAT}", json=body) as response:
            assert patient.started.wait(10)
            running.server.should_exit = True
            text = "".join(response.iter_text())
        assert "[DONE]" in text
        running.thread.join(10)
        with pytest.raises(httpx.ConnectError):
            ask.get(f"{running.url}/healthz")


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")  # LangServe's own
@pytest.mark.parametrize(
    ("path", "body"),
    [(CHAT, chat("hard")), ("/automix/invoke", {"input": {"question": "hard"}})],
)
def test_a_request_that_outlives_the_grace_is_told_so(
    patient: PatientModel, caplog: pytest.LogCaptureFixture, path: str, body: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO, logger="automix_graph")
    app = create_app(make_graph(large=patient))
    answers: list[httpx.Response] = []
    with served(app, grace=1) as running:
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{running.url}{path}", json=body, trust_env=False, timeout=20))
        )
        asking.start()
        assert patient.started.wait(10)
        running.server.should_exit = True
        asking.join(20)
    (answer,) = answers
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting_down")
    assert answer.headers["retry-after"] == "1"
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == ACCESS_LOG]
    assert (line["status"], line["error"]) == (503, "shutting_down")


def test_a_request_that_is_cut_off_is_counted_as_such_and_as_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="automix_graph")

    async def cut_off(body: dict[str, Any], patient: PatientModel) -> tuple[list[Any], str]:
        app = create_app(make_graph(large=patient), settings=ServingSettings(langserve=False))
        messages, sent = [{"type": "http.request", "body": json.dumps(body).encode()}], []
        scope = {"type": "http", "method": "POST", "path": CHAT, "headers": [(b"content-type", b"application/json")]}

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.sleep(60)

        async def send(message: Any) -> None:
            sent.append(message)

        work = asyncio.create_task(app(scope | {"query_string": b"", "http_version": "1.1"}, receive, send))
        await until(patient.started)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):  # not swallowed: who cancels waits for it
            await work
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as ask:
            return sent, (await ask.get("/metrics")).text

    for stream, status in ((False, 503), (True, 200)):
        sent, found = asyncio.run(cut_off(chat("hard", stream=stream), PatientModel(pieces=("never",), pause=30)))
        assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [status]
        assert (sent[-1].get("more_body") is True) is stream  # a stream breaks off
        assert f'automix_requests_total{{door="chat",status="{status}"}} 1.0' in found
        assert [line for line in found.splitlines() if line.startswith("automix_errors_total{")] == [
            'automix_errors_total{code="shutting_down"} 1.0'
        ]
    lines = [json.loads(record.message) for record in caplog.records if record.name == ACCESS_LOG]
    cut = [(line["status"], line["error"]) for line in lines if line["path"] == CHAT]
    assert cut == [(503, "shutting_down"), (200, "shutting_down")]


async def test_a_request_that_was_answered_is_not_called_cut_off() -> None:
    complete, metrics = asyncio.Event(), Metrics()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        complete.set()
        await asyncio.sleep(60)

    async def send(_: Any) -> None:
        pass

    observed = Observed(app, settings=ServingSettings(), metrics=metrics)
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": []}
    work = asyncio.create_task(observed(scope, send, send))  # type: ignore[arg-type]  # nothing is received
    await complete.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    found = metrics.text().decode()
    assert 'automix_requests_total{door="chat",status="200"} 1.0' in found
    assert "automix_errors_total{" not in found


def test_the_server_logs_no_traceback_of_what_it_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    server_config(create_app(make_graph()), host="127.0.0.1", port=0, grace_seconds=1)
    log = logging.getLogger("uvicorn.error")
    log.error("Exception in ASGI application", exc_info=asyncio.CancelledError("the grace is over"))
    assert capsys.readouterr().err == ""
    log.error("Exception in ASGI application", exc_info=ValueError("something else"))
    assert "something else" in capsys.readouterr().err


def test_requests_that_outlive_the_grace_are_cancelled(patient: PatientModel) -> None:
    with (
        served(create_app(make_graph(large=patient)), grace=1) as running,
        httpx.Client(trust_env=False) as ask,
        ask.stream("POST", f"{running.url}{CHAT}", json=chat("hard", stream=True)) as response,
    ):
        assert patient.started.wait(10)
        running.server.should_exit = True
        running.thread.join(10)
        assert patient.cancelled.is_set()
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()
