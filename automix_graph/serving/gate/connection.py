"""The work of a request and the connection of its client: the one ends with the other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automix_graph.serving.gate.exchange import current
from automix_graph.serving.gate.refusing import note

_LINGER_SECONDS: Final = 5.0
"""How long a client is borne that does not read, or sends what nobody wants."""


async def while_connected(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Run an application for as long as the client is there; what it awaits is cancelled when the client goes.

    Args:
        app: to run.
        scope: of the request.
        body: of the request, which was read already.
        receive: what the server has to say of the client.
        send: to the client.
    """
    gone, complete = asyncio.Event(), False
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def told(message: Message) -> None:
        nonlocal complete
        await send(message)
        complete = message["type"] == "http.response.body" and not message.get("more_body", False)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def work() -> None:
        await app(scope, replay, told)

    working, watching = asyncio.create_task(work()), asyncio.create_task(watch())
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED, timeout=_time_left())
        # Servers also say that the client has gone once a response is complete; what then remains is tidying up.
        if not working.done() and not complete:
            note("client_disconnected" if watching.done() else "deadline_exceeded")
            working.cancel()
    except asyncio.CancelledError:
        working.cancel()
        raise
    finally:
        gone.set()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


def _time_left() -> float | None:
    # The doors keep the deadline and say so to the client; this is for a client that does not read what it is told.
    exchange = current.get()
    if exchange is None:
        return None
    return max(exchange.deadline - asyncio.get_running_loop().time(), 0.0) + _LINGER_SECONDS


async def discard(receive: Receive, most: int) -> None:
    """Read what else a client sends, within bounds: many read no response before all is sent."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while most > 0 and (message := await receive())["type"] == "http.request":
                most -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
