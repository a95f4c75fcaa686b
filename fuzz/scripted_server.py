"""A server on loopback over scripted models that repeat what they were asked, and what it holds and logs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

import uvicorn

from automix_graph import create_automix
from automix_graph.serving import ServingSettings, create_app
from automix_graph.testing import FunctionChatModel, StaticRetriever

_WATCHER: Final = "_shutdown_watcher"
"""A task of sse-starlette that begins with the first stream and ends with the server."""
_OF_UVICORN: Final = "ASGI callable returned without completing response"
"""Said by uvicorn, which forgets that it has itself closed the connection of a client that broke the rules of HTTP."""


class Scripted:
    """A running server.

    Attributes:
        address: where it listens.
        url: the same for HTTP clients.
    """

    def __init__(self, address: tuple[str, int], server: uvicorn.Server, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self.url = f"http://{address[0]}:{address[1]}"
        self._server = server
        self._loop = loop
        self._log = _Errors()
        for name in ("uvicorn.error", "automix_graph", "asyncio"):
            logging.getLogger(name).addHandler(self._log)
        self._at_start = self._running()

    def held(self) -> list[str]:
        """Return what is there beyond what was there at the start: connections and tasks."""
        tasks = [f"this task still runs: {name}" for name in self._running() - self._at_start if _WATCHER not in name]
        return [*tasks, *(f"{connection!r} is open" for connection in self._server.server_state.connections)]

    def errors(self) -> list[str]:
        """Return what was logged as an error."""
        return self._log.messages[:20]

    def _running(self) -> set[str]:
        async def names() -> set[str]:
            return {repr(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()}

        return asyncio.run_coroutine_threadsafe(names(), self._loop).result(10)


@contextlib.contextmanager
def scripted_server() -> Iterator[Scripted]:
    """Serve, and stop in the end."""
    loops: list[asyncio.AbstractEventLoop] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = ServingSettings(max_body_bytes=100_000, deadline_seconds=30, readiness_seconds=1)
        config = uvicorn.Config(
            create_app(_graph(), settings=settings), http="h11", ws="none", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve(sockets=[listening])

        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Scripted(listening.getsockname(), server, loops[0])
        server.should_exit = True
        thread.join(30)


def _graph():  # type: ignore[no-untyped-def]  # what create_automix returns has no public name
    models = {
        "small": FunctionChatModel(lambda prompt: prompt[-300:] or "nothing", label="small"),
        "judge": FunctionChatModel(lambda prompt: "Incorrect" if len(prompt) % 2 else "Correct", label="judge"),
        "large": FunctionChatModel(lambda prompt: prompt[:300], label="large"),
    }
    return create_automix(
        small=models["small"],
        large=models["large"],
        verifier=models["judge"],
        retriever=StaticRetriever(["First passage.", "第二段。"]),
    )


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if record.getMessage().startswith(_OF_UVICORN):
            return
        error = record.exc_info[1] if record.exc_info else None
        self.messages.append(f"logged: {record.getMessage()}{'' if error is None else f' {error!r}'}")
