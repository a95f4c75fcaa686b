"""What a request passes before a door opens, and what is logged and refused on the way."""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from served import DRAFT, PatientModel, Running, chat, make_graph, served
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.gate.connection import while_connected
from automix_graph.serving.gate.keys import Keyring
from automix_graph.serving.listening import ACCESS_LOG

KEY = "a-key-that-opens"
CHAT = "/v1/chat/completions"


def client(*, langserve: bool = False, **settings: Any) -> TestClient:
    return TestClient(create_app(make_graph(), settings=ServingSettings(langserve=langserve, **settings)))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer("a-key-that-open"), 401),
        (bearer(f"{KEY}s"), 401),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": KEY}, 401),
        ({"authorization": "Bearer \xfc"}, 401),
        (bearer(KEY), 200),
        (bearer("another"), 200),
        ({"authorization": f"bearer {KEY}"}, 200),
    ],
)
def test_doors_that_cost_or_tell_need_a_key(headers: Mapping[str, str], status: int) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    with client(keys=(KEY, "another"), langserve=True) as ask:
        for path in ("/v1/models", "/metrics", "/openapi.json", "/automix/input_schema"):
            assert ask.get(path, headers=raw).status_code == status, path
        assert ask.post(CHAT, json=chat("easy"), headers=raw).status_code == status
        assert ask.post("/ask", json={"question": "easy"}, headers=raw).status_code == status
        assert ask.post("/automix/invoke", headers=raw).status_code == (401 if status == 401 else 422)
        for path in ("/", "/healthz", "/readyz"):
            assert ask.get(path, headers=raw).status_code == 200


def test_a_refusal_has_the_shape_that_clients_know() -> None:
    with client(keys=(KEY,)) as ask:
        response = ask.post(CHAT, json=chat("easy"))
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.headers["www-authenticate"] == "Bearer"


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr("automix_graph.serving.gate.keys.hmac.compare_digest", spy)
    assert Keyring(["first", "second", "third"]).opens("Bearer first")
    assert len(set(compared)) == 3
    assert len({len(digest) for digest in compared}) == 1


def test_settings_do_not_show_their_keys() -> None:
    assert KEY not in repr(ServingSettings(keys=(KEY,)))


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("LOCALHOST", 200), ("[::1]:80", 200), ("evil.example", 403), ("localhost.evil", 403)],
)
def test_a_name_that_points_here_is_not_answered_to(host: str, status: int) -> None:
    with client(allowed_hosts=("localhost", "[::1]")) as ask:
        assert ask.get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://app.example"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://testserver"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_ask_nothing(headers: dict[str, str], status: int) -> None:
    with client(cors_origins=("https://app.example",)) as ask:
        assert ask.post("/ask", json={"question": "easy"}, headers=headers).status_code == status


def test_cors_is_off_unless_asked_for() -> None:
    preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
    with client() as ask:
        assert "access-control-allow-origin" not in ask.options(CHAT, headers=preflight).headers
        assert "access-control-allow-origin" not in ask.get("/v1/models", headers=preflight).headers
    with client(cors_origins=("https://app.example",), keys=(KEY,)) as ask:
        allowed = ask.options(CHAT, headers=preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://app.example")
        other = ask.options(CHAT, headers=preflight | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_an_identifier_is_kept_if_it_is_a_plain_word_and_made_up_otherwise() -> None:
    with client() as ask:
        assert ask.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
        for insane in ("two words", "a" * 65, "\xe4"):
            given = ask.get("/healthz", headers={"x-request-id": insane.encode("latin-1")}).headers["x-request-id"]
            assert re.fullmatch("[0-9a-f]{32}", given)


def test_the_log_tells_what_happened_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with client() as ask, caplog.at_level(logging.INFO, logger="automix_graph"):
        ask.post(CHAT, json=chat("hard MYQUESTION", stream=True), headers={"x-request-id": "r1"})
        ask.post("/ask?MYQUESTION", json={"question": "easy MYQUESTION"}, headers={"x-request-id": "r2"})
        ask.post(CHAT, json=chat("MYQUESTION", temperature=2), headers={"x-request-id": "r3"})
    assert "MYQUESTION" not in caplog.text
    assert "LARGE" not in caplog.text
    lines = [json.loads(record.message) for record in caplog.records if record.name == ACCESS_LOG]
    for line in lines:
        assert line.pop("ms") >= 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert lines[0].pop("cost") > lines[1].pop("cost") > 0
    common = {"method": "POST", "path": CHAT}
    assert lines == [
        common | {"status": 200, "request_id": "r1", "route": "large"},
        common | {"path": "/ask", "status": 200, "request_id": "r2", "route": "small"},
        common | {"status": 400, "request_id": "r3", "error": "unsupported_parameter"},
    ]


def test_what_nobody_foresaw_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> str:
        raise AssertionError("the SECRET words")

    with TestClient(create_app(make_graph(small=broken))) as ask, caplog.at_level(logging.INFO):
        response = ask.post(CHAT, json=chat("easy"))
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert "SECRET" not in response.text + caplog.text
    assert "AssertionError" in caplog.text


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


@pytest.fixture
def patient() -> PatientModel:
    return PatientModel(pieces=("never",), pause=30)


@pytest.fixture
def slow(patient: PatientModel) -> Iterator[Running]:
    settings = ServingSettings(max_concurrent=2, retry_after_seconds=7)
    with served(create_app(make_graph(large=patient), settings=settings), grace=1) as running:
        yield running


@pytest.fixture
async def asking(slow: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=slow.url, trust_env=False, timeout=20) as client:
        yield client


async def until(event: Any) -> None:
    assert await asyncio.to_thread(event.wait, 10)


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


@pytest.mark.parametrize("stream", [False, True])
def test_a_deadline_ends_a_request_and_its_calls(patient: PatientModel, stream: bool) -> None:
    settings = ServingSettings(deadline_seconds=0.2)
    with TestClient(create_app(make_graph(large=patient), settings=settings)) as ask:
        response = ask.post(CHAT, json=chat("hard", stream=stream))
        assert response.status_code == (200 if stream else 504)
        assert '"code":"deadline_exceeded"' in response.text
        assert patient.cancelled.is_set()
        assert 'automix_errors_total{code="deadline_exceeded"} 1.0' in ask.get("/metrics").text


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


def test_a_graph_with_a_checkpointer_is_served() -> None:
    graph = make_graph().copy(update={"checkpointer": InMemorySaver()})
    with TestClient(create_app(graph, settings=ServingSettings(langserve=False))) as ask:
        for question in ("easy", "hard"):
            assert ask.post(CHAT, json=chat(question)).status_code == 200


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


def test_an_application_that_is_mounted_knows_its_doors() -> None:
    from fastapi import FastAPI

    outer = FastAPI()
    outer.mount("/qa", create_app(make_graph(), settings=ServingSettings(keys=(KEY,))))
    with TestClient(outer) as ask:
        assert ask.get("/qa/healthz").status_code == 200
        assert ask.post(f"/qa{CHAT}", json=chat("easy")).status_code == 401
        answered = ask.post(f"/qa{CHAT}", json=chat("easy"), headers=bearer(KEY))
        assert answered.json()["choices"][0]["message"]["content"] == DRAFT
        assert "retrieve" not in ask.get("/qa/").text.split("<script>")[0]


@pytest.mark.parametrize(
    ("setting", "value"), [("max_concurrent", 0), ("deadline_seconds", float("nan")), ("keys", ("good", " "))]
)
def test_settings_that_make_no_sense_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"above zero|blank"):
        ServingSettings(**{setting: value})
