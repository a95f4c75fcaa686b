"""The middleware around LangChain's own OpenAI client, against a server on this machine that speaks that API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from agent_scene import DRAFT, LARGE, QUESTION, search
from langchain.agents import create_agent

from automix_graph import AnswerConfidence, AutoMixMiddleware, Threshold

openai = pytest.importorskip("langchain_openai")


class Server(ThreadingHTTPServer):
    """Answers as the model asked for would: ``small`` searches first, ``large`` is judge and writer."""

    requests: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(asked)
        streams = asked.get("stream", False)
        choice = self._choice(asked)
        part = {"index": 0, "finish_reason": "stop", "delta" if streams else "message": choice["message"]}
        if "logprobs" in choice:
            part["logprobs"] = choice["logprobs"]
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        body = {"id": "1", "object": "x", "created": 1, "model": asked["model"], "choices": [part], "usage": usage}
        data = f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n" if streams else json.dumps(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data.encode())

    def _choice(self, asked: dict[str, Any]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": DRAFT if asked["model"] == "small" else LARGE}
        if "tools" not in asked:
            message["content"] = "Incorrect"
        elif asked["model"] == "small" and asked["messages"][-1]["role"] != "tool":
            call = {"name": "search", "arguments": '{"query": "opened"}'}
            message = {**message, "content": None}
            message["tool_calls"] = [{"index": 0, "id": "1", "type": "function", "function": call}]
        logprobs = {"content": [{"token": "x", "logprob": -3.0, "bytes": None, "top_logprobs": []}]}
        return {"message": message, **({"logprobs": logprobs} if asked.get("logprobs") else {})}

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.requests = []
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def model(server: Server, name: str) -> Any:
    address = f"http://127.0.0.1:{server.server_port}/v1"
    return openai.ChatOpenAI(model=name, base_url=address, api_key="none", max_retries=0, stream_usage=True)


async def test_a_rejected_draft_is_neither_streamed_nor_asked_for_as_a_stream(server: Server) -> None:
    agent = create_agent(model(server, "large"), [search], middleware=[AutoMixMiddleware(small=model(server, "small"))])
    modes: Any = ["messages", "updates", "values"]
    parts = [part async for part in agent.astream(QUESTION, stream_mode=modes)]
    assert "DRAFT" not in repr(parts)
    state = parts[-1][1]
    assert state["messages"][-1].text == LARGE
    assert [(call["model"], call["input_tokens"], call["error"]) for call in state["automix"]["usage"]["calls"]] == [
        ("openai:small", 10, None),
        ("openai:small", 10, None),
        ("openai:large", 10, None),
        ("openai:large", 10, None),
    ]
    assert [bool(asked.get("stream")) for asked in server.requests] == [False, False, False, True]


def test_log_probabilities_are_read_beside_tools(server: Server) -> None:
    middleware = AutoMixMiddleware(
        small=model(server, "small"),
        verifier=AnswerConfidence(),
        policy=Threshold(0.01),
        prices={"openai:small": (1, 1)},
    )
    agent = create_agent(model(server, "large"), [search], middleware=[middleware])
    report = agent.invoke(QUESTION)["automix"]
    assert report["route"] == "small"
    assert 0.01 < report["confidence"] < 0.5
    assert report["cost"] == pytest.approx(24e-6)
