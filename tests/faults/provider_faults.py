"""The ways in which a provider fails: what it sends in place of a good reply, and how the ledger calls it."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

from fault_server import LONG, Exchange, Fault, completion, piece

SECRET = "PROVIDER-WORDS"
"""What providers say of failures; nobody else may repeat it."""
HUGE = 10_000_000
DRIP_SECONDS = 0.3


def status(code: int, *, type: str = "", error: str = "", **headers: str) -> Fault:
    body = {"error": {"message": SECRET, "type": type, "code": error}}
    return lambda exchange: exchange.send(code, body, **headers)


def replying(**fields: Any) -> Fault:
    """Return a completion with some fields of its own."""
    return lambda exchange: exchange.send(200, {**completion(exchange, "Correct"), **fields})


def saying(content: Any, *, finish: str | None = "stop", **message: Any) -> Fault:
    return lambda exchange: exchange.send(200, completion(exchange, content, finish=finish, **message))


def bytes_instead(data: bytes, kind: str = "application/json") -> Fault:
    return lambda exchange: exchange.send(200, data, kind=kind)


def hang(exchange: Exchange) -> None:
    exchange.server.released.wait(LONG)
    exchange.close_connection = True


def drip(exchange: Exchange) -> None:
    """Send a good reply byte by byte: every single read is in time."""
    data = json.dumps(completion(exchange, exchange.server.texts[exchange.body["model"]])).encode()
    exchange.send_response(200)
    exchange.send_header("Content-Type", "application/json")
    exchange.send_header("Content-Length", str(len(data)))
    exchange.end_headers()
    for start in range(0, len(data), 1 + len(data) // 10):
        time.sleep(DRIP_SECONDS / 10)
        exchange.wfile.write(data[start : start + 1 + len(data) // 10])


def drip_on(exchange: Exchange) -> None:
    """Send a byte now and then until nobody listens or the test is over: every single read is in time."""
    exchange.send_response(200)
    exchange.send_header("Content-Type", "application/json")
    exchange.send_header("Content-Length", "1000000")
    exchange.end_headers()
    while not exchange.server.released.wait(DRIP_SECONDS / 10):
        exchange.wfile.write(b" ")


def huge(exchange: Exchange) -> None:
    exchange.send(200, completion(exchange, "Correct. " * (HUGE // 9 // exchange.choices)))


def not_utf8(exchange: Exchange) -> None:
    exchange.send(200, json.dumps(completion(exchange, "Correct")).encode().replace(b"Correct", b"\xff\xfeCorrect"))


def cut(exchange: Exchange) -> None:
    """End in the middle: of a stream after a whole word, which reads like a whole reply; of a body, anywhere."""
    if exchange.body.get("stream"):
        exchange.events(piece(exchange, "Correct"), done=False)
        return
    exchange.close_connection = True
    exchange.send_response(200)
    exchange.send_header("Content-Length", "1000")
    exchange.end_headers()
    exchange.wfile.write(b'{"choices": [{"message": {"content": "Correct')


def fail_in_stream(exchange: Exchange) -> None:
    error = {"error": {"message": SECRET, "type": "server_error", "code": "overloaded"}}
    if exchange.body.get("stream"):
        exchange.events(piece(exchange, "Correct"), error, done=True)
    else:
        exchange.send(200, error)


def reset(exchange: Exchange) -> None:
    exchange.close_connection = True
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def hang_up(exchange: Exchange) -> None:
    exchange.close_connection = True


PASSING: dict[str, tuple[Fault, str]] = {
    "429": (status(429, error="rate_limit_exceeded"), "OpenAIRateLimitError (429)"),
    "429 with Retry-After": (status(429, Retry_After="0.02"), "OpenAIRateLimitError (429)"),
    "500": (status(500), "OpenAIAPIError (500)"),
    "503": (status(503), "OpenAIAPIError (503)"),
    "529": (status(529, type="overloaded_error"), "OpenAIAPIError (529)"),
    "408": (status(408), "APIStatusError (408)"),
    "hang": (hang, "OpenAITimeoutError"),
    "cut": (cut, "OpenAIConnectionError"),
    "reset": (reset, "OpenAIConnectionError"),
    "hang up": (hang_up, "OpenAIConnectionError"),
    "malformed JSON": (bytes_instead(b'{"choices": [{"message": {"content": "Correct"'), "JSONDecodeError"),
    "no JSON": (bytes_instead(b"<html>Correct</html>"), "JSONDecodeError"),
    "wrong content type": (bytes_instead(b"<html>Correct</html>", "text/html"), "ValueError"),
    "invalid UTF-8": (not_utf8, "UnicodeDecodeError"),
    "no choices": (replying(choices=[]), "IndexError"),
    "null choices": (replying(choices=None), "TypeError"),
    "null message": (replying(choices=[{"index": 0, "message": None}]), "AttributeError"),
    "200 with an error that passes": (
        lambda exchange: exchange.send(200, {"error": {"message": SECRET, "code": 429}}),
        "ValueError",
    ),
}
"""Faults after which the same call may succeed, and how the ledger calls them."""

LASTING: dict[str, tuple[Fault, str]] = {
    "400": (status(400), "OpenAIInvalidRequestError (400)"),
    "401": (status(401), "OpenAIAuthenticationError (401)"),
    "403": (status(403), "OpenAIPermissionDeniedError (403)"),
    "404": (status(404), "OpenAIModelNotFoundError (404)"),
    "422": (status(422), "UnprocessableEntityError (422)"),
    "429 out of quota": (status(429, error="insufficient_quota"), "OpenAIRateLimitError (429)"),
    "429 that says not to": (status(429, x_should_retry="false"), "OpenAIRateLimitError (429)"),
    "context overflow": (status(400, error="context_length_exceeded"), "OpenAIInvalidRequestError (400)"),
    "content filter": (status(400, error="content_filter"), "OpenAIInvalidRequestError (400)"),
    "200 with an error that lasts": (
        lambda exchange: exchange.send(200, {"error": {"message": SECRET, "type": "invalid_request_error"}}),
        "ValueError",
    ),
}
"""Faults after which it makes no sense to call again."""
