"""An OpenAI-compatible server on this machine that fails as it is told to, and models that speak to it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from langchain_openai import ChatOpenAI

SECRET = "PROVIDER-WORDS"
"""What providers say of failures; nobody else may repeat it."""
HUGE = 10_000_000
DRIP_SECONDS = 0.3
LONG = 10.0
SHORT = 0.2
"""Seconds that a model is waited for: where all goes well even on a busy machine, and where the server hangs."""

Body = dict[str, Any]
Fault = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request, and the ways in which it is answered."""

    server: "FaultServer"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.answering():
            self.server.next_fault(self.body["model"])(self)

    def log_message(self, *args: object) -> None:
        pass

    @property
    def choices(self) -> int:
        return self.body.get("n") or 1

    def send(self, status: int, body: object, *, kind: str = "application/json", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def events(self, *events: Mapping[str, Any], done: bool) -> None:
        """Stream events; without `done` the stream just ends, as behind a proxy that was restarted."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in events:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        if done:
            self.wfile.write(b"data: [DONE]\n\n")


class FaultServer(ThreadingHTTPServer):
    """Answers each model's requests as told, and remembers them.

    Attributes:
        texts: what each model says when it is well.
        asked: the models that were asked, in order.
        open: requests that are being answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        self.open = 0
        self.released = threading.Event()
        self._faults: dict[str, Iterator[Fault]] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def forget(self) -> None:
        self.released.set()
        self.released = threading.Event()
        with self._lock:
            self.asked.clear()
            self._faults.clear()
            self.texts.clear()

    def fail(self, model: str, faults: Iterator[Fault]) -> None:
        """Answer a model's next requests so; when the iterator ends, the model is well."""
        self._faults[model] = faults

    def next_fault(self, model: str) -> Fault:
        with self._lock:
            self.asked.append(model)
            return next(self._faults.get(model, iter(())), well)

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self._lock:
            self.open += 1
        try:
            yield
        finally:
            with self._lock:
                self.open -= 1

    def asked_for(self, model: str) -> int:
        return self.asked.count(model)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away is what the tests are about


@contextmanager
def serving() -> Iterator[FaultServer]:
    with FaultServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def model_at(server: FaultServer, name: str, *, streaming: bool = False, timeout: float = LONG) -> ChatOpenAI:
    """Return a model of the server without retries of its own; no connection is kept."""
    one_use = httpx.Limits(max_keepalive_connections=0)
    return ChatOpenAI(
        model=name,
        base_url=server.url,
        api_key="sk-KEY",  # type: ignore[arg-type]  # pydantic makes a secret of it
        max_retries=0,
        streaming=streaming,
        timeout=timeout,
        http_client=httpx.Client(trust_env=False, limits=one_use, timeout=timeout),
        http_async_client=httpx.AsyncClient(trust_env=False, limits=one_use, timeout=timeout),
        http_socket_options=(),
    )


def completion(exchange: Exchange, content: Any, *, finish: str | None = "stop", **message: Any) -> Body:
    text = content[:20] if isinstance(content, str) else ""
    top = [{"token": text, "logprob": -0.1, "bytes": None}, {"token": "Incorrect", "logprob": -3.0, "bytes": None}]
    choice = {
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content, **message},
        "logprobs": {"content": [{**top[0], "top_logprobs": top}]} if exchange.body.get("logprobs") else None,
    }
    return {
        **{"id": "c", "object": "chat.completion", "created": 1, "model": exchange.body["model"]},
        "choices": [{"index": index, **choice} for index in range(exchange.choices)],
        "usage": {"prompt_tokens": 10, "completion_tokens": exchange.choices, "total_tokens": 10 + exchange.choices},
    }


def piece(exchange: Exchange, text: str, *, finish: str | None = None) -> Body:
    delta = {"role": "assistant", "content": text}
    return {
        **{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": exchange.body["model"]},
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def well(exchange: Exchange) -> None:
    text = exchange.server.texts[exchange.body["model"]]
    if exchange.body.get("stream"):
        exchange.events(piece(exchange, text), piece(exchange, "", finish="stop"), done=True)
    else:
        exchange.send(200, completion(exchange, text))


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
