"""What is logged of a request, and under which identifier: what happened, and no text of anybody."""

from __future__ import annotations

import json
import logging
import re

import pytest
from served import CHAT, chat, client, make_graph
from starlette.testclient import TestClient

from automix_graph.serving import create_app
from automix_graph.serving.listening import ACCESS_LOG


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
