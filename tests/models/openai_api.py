"""An endpoint of the OpenAI API on this machine, for tests that need what goes over the wire."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from langchain_openai import ChatOpenAI

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
"""From a request's body to the status and the body of the response."""


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Serve every POST by a function; yields the base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, reply = answer(body)
            data = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    class HttpServer(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # Linux resets connections beyond it

    with HttpServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/v1"
        http.shutdown()
        thread.join()


def completion(asked: dict[str, Any], text: str, *, read: int = 100, written: int = 10) -> dict[str, Any]:
    """Return the body of a reply to a request: as many choices as it asks for, and the tokens."""
    message = {"role": "assistant", "content": text}
    return {
        **{"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"]},
        "choices": [
            {"index": index, "finish_reason": "stop", "message": message} for index in range(asked.get("n") or 1)
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def openai_model(url: str | None, kind: type[ChatOpenAI] = ChatOpenAI) -> ChatOpenAI:
    """Return a model of the endpoint that keeps no connection open."""
    one_use = httpx.Limits(max_keepalive_connections=0)
    return kind(
        model="m",
        base_url=url,
        api_key="none",  # type: ignore[arg-type]  # pydantic makes a secret of it
        max_retries=0,
        http_client=httpx.Client(trust_env=False, limits=one_use),
        http_async_client=httpx.AsyncClient(trust_env=False, limits=one_use),
        http_socket_options=(),
    )
