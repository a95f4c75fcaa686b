"""How a server holds up under many streaming clients at once, with models that take 50 ms and do nothing else.

    python benchmarks/serve_load.py --clients 200 --json load.json

The server runs in one process, as ``automix serve`` runs it; the clients in this one, on loopback. A client asks, reads
the stream to its end, checks that every piece of the answer is about its own question, thinks, and asks again. The
overhead of a request is its time beyond the waiting of its models: 100 ms where the draft is kept (answer, verdict),
150 ms where it is not. Every third question escalates.

Two loads are run. Paced: every client asks once in ``--pace`` seconds, evenly spread, which is what many people at once
are like; the rate is clients / pace. Burst: all clients ask at the same moment, so that the last one's overhead is the
processor time of all. No model, retriever or network is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import platform
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

MODEL_SECONDS: Final = 0.05
_ESCALATED: Final = 3
"""Every so many-th question escalates."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of one client.

    Attributes:
        overhead: seconds beyond the waiting of the models.
        error: what was wrong with the response; None where nothing was.
    """

    overhead: float
    error: str | None


def serve(listening: socket.socket, clients: int) -> None:
    """Serve until the process is ended."""
    import uvicorn
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.messages.ai import UsageMetadata
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    from automix_graph import create_automix
    from automix_graph.serving import ServingSettings, create_app
    from automix_graph.serving.listening import KEEP_ALIVE
    from automix_graph.testing import StaticRetriever

    class Waiting(BaseChatModel):
        """Waits, then says what it is, and which question it was asked."""

        label: str

        @property
        def _llm_type(self) -> str:
            return "waiting"

        def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            raise NotImplementedError("it waits asynchronously")

        async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            await asyncio.sleep(MODEL_SECONDS)
            chunk = AIMessageChunk(content=self._reply(messages), usage_metadata=_USAGE)
            return ChatResult(generations=[ChatGeneration(message=chunk)])

        async def _astream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Any:
            await asyncio.sleep(MODEL_SECONDS)
            for word in self._reply(messages).split(" "):
                yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=_USAGE))

        def _reply(self, messages: list[BaseMessage]) -> str:
            asked = str(messages[-1].text).rpartition("number ")[2].split("?")[0]
            if self.label == "judge":
                return "Incorrect" if int(asked) % _ESCALATED == 0 else "Correct"
            return " ".join([self.label, *[f"number={asked}"] * 20])

    _USAGE = UsageMetadata(input_tokens=400, output_tokens=40, total_tokens=440)
    graph = create_automix(
        small=Waiting(label="small"),
        large=Waiting(label="large"),
        verifier=Waiting(label="judge"),
        retriever=StaticRetriever(["A passage of some words."] * 4),
    )
    app = create_app(graph, settings=ServingSettings(max_concurrent=clients, langserve=False))
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none", timeout_keep_alive=KEEP_ALIVE)
    uvicorn.Server(config).run(sockets=[listening])


async def ask(client: httpx.AsyncClient, number: int) -> Asked:
    """Ask one question, and check its answer."""
    escalates = number % _ESCALATED == 0
    body = {"model": "automix", "stream": True, "messages": [{"role": "user", "content": f"What is number {number}?"}]}
    start = time.perf_counter()
    text, error = [], None
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            error = None if response.status_code == 200 else f"status {response.status_code}"
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    chunk = json.loads(line[6:])
                    text.append(chunk["choices"][0]["delta"].get("content", "") if "choices" in chunk else line)
    except httpx.HTTPError as failure:
        error = type(failure).__name__
    seconds = time.perf_counter() - start
    expected = ["large" if escalates else "small", *[f"number={number}"] * 20]
    if error is None and "".join(text).split() != expected:
        error = f"the answer to {number} is {''.join(text)[:100]!r}"
    return Asked(overhead=seconds - MODEL_SECONDS * (3 if escalates else 2), error=error)


async def load(url: str, *, clients: int, rounds: int, pace: float) -> list[Asked]:
    """Run all clients; a pace of 0 has all of them ask at the same moment, once a round."""

    async def one(client: httpx.AsyncClient, index: int) -> list[Asked]:
        asked = []
        start = time.perf_counter() + pace * index / clients
        for number in range(rounds):
            if pace:
                await asyncio.sleep(max(0.0, start + number * pace - time.perf_counter()))
            asked.append(await ask(client, number * clients + index + 1))
        return asked

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits) as client:
        if pace:
            found = await asyncio.gather(*(one(client, index) for index in range(clients)))
        else:
            found = [
                await asyncio.gather(*(ask(client, number * clients + index + 1) for index in range(clients)))
                for number in range(rounds)
            ]
    return [asked for several in found for asked in several]


def summary(asked: list[Asked]) -> dict[str, Any]:
    """Return what is reported of a load."""
    overheads = sorted(one.overhead for one in asked if one.error is None)
    errors = [one.error for one in asked if one.error is not None]

    def quantile(share: float) -> float | None:
        return round(1000 * overheads[math.ceil(share * len(overheads)) - 1], 1) if overheads else None

    return {
        "requests": len(asked),
        "errors": len(errors),
        "first_errors": errors[:3],
        "overhead_ms": {f"p{round(share * 100)}": quantile(share) for share in (0.5, 0.9, 0.95, 0.99, 1)},
    }


async def wait_for(url: str) -> None:
    """Wait until the server answers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(600):
            try:
                if (await client.get(f"{url}/healthz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
    raise SystemExit("the server did not start")


async def measure(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Warm up, then run both loads."""
    await wait_for(url)
    await load(url, clients=20, rounds=1, pace=0.5)
    loads = {
        f"paced, {options.clients / options.pace:g} questions a second": options.pace,
        "burst": 0.0,
    }
    return {
        name: summary(await load(url, clients=options.clients, rounds=options.rounds, pace=pace))
        for name, pace in loads.items()
    }


def main() -> None:
    """Run the loads, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200, help="at once (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="questions of each client and load (default: 3)")
    parser.add_argument("--pace", type=float, default=5.0, help="seconds between a client's questions (default: 5)")
    parser.add_argument("--json", metavar="FILE", help="where the results go, as JSON")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = multiprocessing.get_context("fork").Process(target=serve, args=(listening, options.clients))
        server.start()
        try:
            results = asyncio.run(measure(url, options))
        finally:
            server.terminate()
            server.join()
    report = {
        "clients": options.clients,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "loads": results,
    }
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
    for name, found in results.items():
        overhead = "  ".join(f"{key} {value} ms" for key, value in found["overhead_ms"].items())
        print(f"{name}: {found['requests']} requests, {found['errors']} errors; overhead {overhead}")
        for error in found["first_errors"]:
            print(f"  {error}")
    sys.exit(any(found["errors"] for found in results.values()))


if __name__ == "__main__":
    main()
