"""What fuzzing found: requests that handlers failed over are refused, and the schema says what is answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from h11 import LocalProtocolError
from served import chat, make_graph
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.gate.failures import RequestFailed
from automix_graph.serving.gate.observed import Observed
from automix_graph.serving.gate.readable import require_json
from automix_graph.serving.metrics import Metrics

JSON = {"content-type": "application/json"}
UNREADABLE = [
    b"\xff\xfe",
    b'{"question": "\xed\xa0\x80"}',
    b'{"question": "\\ud83d"}',
    b'{"\\uDC00": 1}',
    b'{"question": NaN}',
    b'{"question": -Infinity}',
    b'{"question": 1e999}',
    b"9" * 5000,
    b"[" * 101 + b"]" * 101,
    b"[" * 100_000,
    b'{"a": "\\"", "b": ' + b"[" * 101 + b"]" * 101 + b"}",
    b"[" * 101 + b'"' + b'\\"' * 200_000,  # a text without an end, in which each quote might begin one
    b"[" * 101 + b'"\\',
    b"",
]
READABLE = [
    '{"question": "问题 😀"}'.encode(),
    b'{"question": "\\ud83d\\ude00"}',
    b'{"question": "\\\\ud83d"}',
    b"[" * 100 + b"]" * 100,
    b'{"question": "' + b"[" * 500 + b'"}',
    b'{"a": "\\"' + b"[" * 500 + b'"}',
    b"1e308",
]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(make_graph())) as found:
        yield found


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_body_that_cannot_be_repeated_is_refused_at_every_door(client: TestClient, body: bytes) -> None:
    with pytest.raises(RequestFailed):
        require_json(body)
    for path in ("/ask", "/v1/chat/completions"):
        answer = client.post(path, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")
    for endpoint in ("invoke", "batch", "stream", "stream_log", "stream_events"):
        answer = client.post(f"/automix/{endpoint}", content=body, headers=JSON)
        assert answer.status_code == 422
        assert answer.json()["detail"]


@pytest.mark.parametrize("body", READABLE, ids=range(len(READABLE)))
def test_other_bodies_are_read(body: bytes) -> None:
    require_json(body)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("invoke", {"input": {"question": "easy"}, "config": None}),
        ("stream", {"input": {"question": "easy"}, "config": None}),
        ("stream_events", {"input": {"question": "easy"}, "config": ["x"]}),
        ("invoke", {"input": {"question": "easy"}, "kwargs": [None]}),
        ("invoke", [1]),
        ("batch", {"inputs": [{"question": 7}]}),
        ("batch", {"inputs": 7}),
        ("batch", {"inputs": [{"question": "easy"}], "config": [None]}),
    ],
)
def test_what_langserve_would_fail_over_is_refused(client: TestClient, endpoint: str, body: Any) -> None:
    answer = client.post(f"/automix/{endpoint}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize("endpoint", ["stream", "stream_log", "stream_events"])
def test_a_question_that_cannot_be_asked_is_refused_before_the_stream(client: TestClient, endpoint: str) -> None:
    for question, status in ((" ", 400), ("x" * 20_001, 413)):
        answer = client.post(f"/automix/{endpoint}", json={"input": {"question": question}})
        assert answer.status_code == status
        assert answer.json()["error"]["param"] == "question"


def test_another_method_is_told_which_are_allowed(client: TestClient) -> None:
    answer = client.put("/v1/models")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_the_schema_describes_what_is_answered(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert all("4XX" in one["responses"] and "422" not in one["responses"] for one in operations)
    completion = schema["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["content"]
    assert set(completion) == {"application/json", "text/event-stream"}
    described = schema["components"]["schemas"][completion["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    answered = client.post("/v1/chat/completions", json=chat("easy")).json()
    assert set(described["properties"]) == set(answered)
    assert set(schema["components"]["schemas"]["Extension"]["properties"]) == set(answered["automix"])


async def test_a_connection_that_takes_no_response_is_no_failure_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def broken(message: Message) -> None:
        raise LocalProtocolError("can't handle event type Response when role=SERVER and state=MUST_CLOSE")

    metrics = Metrics()
    scope = {"type": "http", "method": "POST", "path": "/ask", "headers": []}
    with caplog.at_level("INFO"):
        await Observed(app, settings=ServingSettings(), metrics=metrics)(scope, receive, broken)
    assert b'automix_requests_total{door="ask",status="499"} 1.0' in metrics.text()
    (line,) = caplog.records
    told = json.loads(line.getMessage())
    assert (line.levelname, told["status"], told["error"]) == ("INFO", 499, "client_disconnected")


async def receive() -> Message:
    raise AssertionError("nobody reads the body")
