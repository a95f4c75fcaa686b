"""An OpenAI-compatible server on this machine that answers as it is told to, and models that speak to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from langchain_openai import ChatOpenAI

LONG = 10.0
SHORT = 0.2
"""Seconds that a model is waited for: where all goes well even on a busy machine, and where the server hangs."""

Body = dict[str, Any]
Fault = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request, and the ways in which it is answered."""

    server: FaultServer
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
