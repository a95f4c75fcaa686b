"""How long a body, a question and an answer may be, and how many requests there may be at one time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from served import CHAT, PatientModel, chat, client, make_graph, served, until
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app


@pytest.mark.parametrize("path", [CHAT, "/ask", "/automix/invoke"])
def test_long_bodies_are_refused(path: str) -> None:
    body = json.dumps(chat("x" * 2000)).encode()
    headers = {"content-type": "application/json"}
    with client(max_body_bytes=1000, langserve=True) as ask:
        announced = ask.post(path, content=body, headers=headers)
        assert (announced.status_code, announced.json()["error"]["code"]) == (413, "body_too_large")
        chunked = ask.post(path, content=iter([body[:900], body[900:]]), headers=headers)
        assert chunked.status_code == 413
        assert ask.post(CHAT, json=chat("easy")).status_code == 200


def test_a_long_body_without_a_length_is_refused_on_the_wire() -> None:
    pieces = [b"x" * 60_000] * 20
    with (
        served(create_app(make_graph(), settings=ServingSettings(max_body_bytes=100_000))) as running,
        httpx.Client(trust_env=False) as ask,
    ):
        response = ask.post(f"{running.url}{CHAT}", content=iter(pieces), headers={"content-type": "application/json"})
        assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")
        assert ask.post(f"{running.url}{CHAT}", json=chat("easy")).status_code == 200


@pytest.mark.parametrize("path", [CHAT, "/ask"])
def test_long_questions_are_refused(path: str) -> None:
    with client(max_question_characters=10) as ask:
        for length, status in ((10, 200), (11, 413)):
            question = "q" * length
            response = ask.post(path, json={"question": question} if path == "/ask" else chat(question))
            assert response.status_code == status
    assert response.json()["error"]["code"] == "question_too_long"


async def test_more_requests_than_places_are_sent_away(asking: httpx.AsyncClient, patient: PatientModel) -> None:
    tasks = [asyncio.create_task(asking.post(CHAT, json=chat("hard"))) for _ in range(2)]
    await until(patient.started)
    await asyncio.sleep(0.1)
    refused = await asking.post("/ask", json={"question": "easy"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert (await asking.get("/healthz")).status_code == 200
    assert "automix_requests_in_flight 2.0" in (await asking.get("/metrics")).text
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until(patient.cancelled)
    for _ in range(100):
        if (await asking.post("/ask", json={"question": "easy"})).status_code == 200:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the places were not given back")
    assert "automix_requests_in_flight 0.0" in (await asking.get("/metrics")).text


@pytest.mark.parametrize("stream", [False, True])
def test_a_deadline_ends_a_request_and_its_calls(patient: PatientModel, stream: bool) -> None:
    settings = ServingSettings(deadline_seconds=0.2)
    with TestClient(create_app(make_graph(large=patient), settings=settings)) as ask:
        response = ask.post(CHAT, json=chat("hard", stream=stream))
        assert response.status_code == (200 if stream else 504)
        assert '"code":"deadline_exceeded"' in response.text
        assert patient.cancelled.is_set()
        assert 'automix_errors_total{code="deadline_exceeded"} 1.0' in ask.get("/metrics").text


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    settings = ServingSettings(deadline_seconds=0.2)
    with served(create_app(make_graph(), settings=settings)) as running:
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n".encode()
        )
        assert b"408" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("setting", "value"), [("max_concurrent", 0), ("deadline_seconds", float("nan")), ("keys", ("good", " "))]
)
def test_settings_that_make_no_sense_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"above zero|blank"):
        ServingSettings(**{setting: value})
