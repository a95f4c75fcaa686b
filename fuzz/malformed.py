"""Requests that are hardly HTTP or hardly JSON, and what an answer to one has to be."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import random
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PATHS: Final = (
    b"/v1/chat/completions",
    b"/v1/models",
    b"/v1/models/automix",
    b"/ask",
    b"/automix/invoke",
    b"/automix/batch",
    b"/automix/stream",
    b"/automix/stream_log",
    b"/automix/stream_events",
    b"/automix/playground/index.html",
    b"/automix/playground/../../../app.py",
    b"/automix/c/x/invoke",
    b"/automix/input_schema?x=%ff",
    b"/",
    b"/healthz",
    b"/readyz",
    b"/metrics",
    b"/openapi.json",
    b"/v1/models/%ff%00%0d%0a",
    b"//ask",
    b"/%2e%2e/ask",
    b"*",
    b"http://elsewhere/ask",
    b"/" + b"a" * 9_000,
)
QUESTION: Final = (
    b'{"model": "automix", "messages": [{"role": "user", "content": "TEXT"}], "stream": STREAM}',
    b'{"model": "automix", "messages": [{"role": "user", "content": [{"type": "text", "text": "TEXT"}]}], "n": VALUE}',
    b'{"model": "TEXT", "messages": [{"role": "user", "content": "x"}, {"role": "TEXT"}], "TEXT": VALUE}',
    b'{"question": "TEXT"}',
    b'{"question": "TEXT", "model": VALUE}',
    b'{"input": {"question": "TEXT"}, "config": VALUE, "kwargs": VALUE}',
    b'{"inputs": [{"question": "TEXT"}, {"question": VALUE}], "config": [VALUE]}',
    b'{"input": VALUE, "config": {"configurable": VALUE, "tags": VALUE, "metadata": VALUE}, "include_names": VALUE}',
)
TEXTS: Final = (
    b"When?",
    b"\\ud800",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\u0000",
    b"\x00",
    b'\\"}, 1]',
    "问题？\u2028\u200b\ufeff".encode(),
    b"hard " * 20,
    b"x" * 25_000,
    b"\r\ndata: [DONE]\r\n\r\n",
    b"",
)
VALUES: Final = (
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"9" * 5_000,
    b'"\\ud800"',
    b'{"\\ud800": 1}',
    b"[" * 3_000 + b"]" * 3_000,
    b"[" * 900 + b"]" * 900,
    b"[" * 90 + b"]" * 90,
    b"[" * 300 + b'"[{"' + b"]" * 300,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"a": 1, "a": 2}',
    b"[[], {}]",
    b'{"lc": 1, "type": "constructor", "id": ["langchain_core", "documents", "base", "Document"], "kwargs": {}}',
    b'{"callbacks": ["x"], "recursion_limit": -1, "run_id": "x", "max_concurrency": -1}',
)
HEADERS: Final = (
    b"Content-Type: application/json",
    b"Content-Type: application/json; charset=utf-16",
    b"Content-Type: text/plain",
    b"Content-Type: multipart/form-data",
    b"Content-Type: \xff",
    b"Authorization: Bearer \xff\xfe",
    b"X-Request-Id: " + b"x" * 5_000,
    b"X-Request-Id: a\tb\xe9",
    b"Origin: null",
    b"Sec-Fetch-Site: cross-site",
    b"Host: \xff",
    b"Accept: text/event-stream, */*;q=0",
    b"Accept-Encoding: \x80",
    b"Cookie: " + b"a=b; " * 2_000,
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: identity",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Expect: 100-continue",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b" folded: header",
    b"no colon",
    b"",
    b": empty name",
)
_SECONDS: Final = 1.0
"""How long a connection is left open for the rest of an answer; a request that is not whole has none."""


def request(chance: random.Random) -> bytes:
    """Return the bytes of a request, malformed in some way, most often below HTTP."""
    body = _body(chance)
    method = chance.choice((b"POST",) * 8 + (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"PATCH", b"P\xffST", b""))
    path = chance.choice(PATHS[:9] if chance.random() < 0.7 else PATHS)
    headers = [b"Host: 127.0.0.1", b"Connection: close", b"Content-Type: application/json"]
    headers += chance.sample(HEADERS, chance.choice((0, 0, 0, 1, 1, 2)))
    if chance.random() < 0.95:
        headers.append(b"Content-Length: %d" % max(len(body) + chance.choice((0,) * 12 + (-1, 5)), 0))
    version = chance.choice((b" HTTP/1.1",) * 12 + (b" HTTP/1.0", b" HTTP/9.9", b""))
    data = method + b" " + path + version + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + body
    return _mutated(data, chance) if chance.random() < 0.15 else data


def _body(chance: random.Random) -> bytes:
    body = chance.choice(QUESTION)
    for place, values in ((b"TEXT", TEXTS), (b"VALUE", VALUES), (b"STREAM", (b"true", b"false", b"null", b"7"))):
        while place in body:
            body = body.replace(place, chance.choice(values), 1)
    return _mutated(body, chance) if chance.random() < 0.3 else body


def _mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(changed) + 1)
        end = min(start + chance.choice((0, 1, 1, 4, 50)), len(changed))
        changed[start:end] = chance.randbytes(chance.choice((0, 1, 1, 3)))
    return bytes(changed)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: None where nothing came, as for a request that is not whole.
        headers: by name in lower case.
        body: as it was sent, chunks put together.
    """

    status: int | None
    headers: dict[str, str]
    body: bytes

    def problems(self) -> list[str]:
        """Return what is wrong with it."""
        if self.status is None:
            return []
        rules: tuple[tuple[str, Callable[[], bool]], ...] = (
            (f"status {self.status}", lambda: self.status is not None and self.status < 500),
            ("a traceback is shown", lambda: b"Traceback" not in self.body and b'File "/' not in self.body),
            ("the body is not the JSON it says", self._is_what_it_says),
            ("there is no request id", lambda: "x-request-id" in self.headers or self._is_of_the_http_parser()),
        )
        return [f"{problem}: {self.body[:200]!r}" for problem, holds in rules if not holds()]

    def _is_of_the_http_parser(self) -> bool:
        return self.status == 400 and self.headers.get("content-type", "").startswith("text/plain")

    def _is_what_it_says(self) -> bool:
        if not self.body or self.headers.get("content-type") != "application/json":
            return True
        try:
            json.loads(self.body.decode("utf-8"), parse_constant=_refuse)
        except ValueError:
            return False
        return True


def exchange(address: tuple[str, int], data: bytes) -> Answer:
    """Send bytes over a connection of their own, and return the answer to the first request in them, if any."""
    received = bytearray()
    # A server need not hear a malformed request to its end, and waits for the rest of one that is not whole.
    with socket.create_connection(address, timeout=_SECONDS) as connection, contextlib.suppress(OSError):
        connection.sendall(data)
        while block := connection.recv(1 << 16):
            received += block
    while received.startswith(b"HTTP/1.1 100"):  # go on
        received = received.partition(b"\r\n\r\n")[2]
    answer = _answer(bytes(received))
    return dataclasses.replace(answer, body=b"") if data.startswith(b"HEAD") else answer


def _answer(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Answer(status=None, headers={}, body=b"")
    assert re.fullmatch(r"HTTP/1\.1 \d{3} .*", first), f"this is no status line: {first!r}"
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    elif "content-length" in headers:
        body = body[: int(headers["content-length"])]
    return Answer(status=int(first.split()[1]), headers=headers, body=body)


def _unchunked(body: bytes) -> bytes:
    whole = bytearray()
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        whole += body[:length]
        body = body[length + 2 :]
    return bytes(whole)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
