"""The work of a request and the connection of its client: the one ends with the other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automix_graph.serving.gate.exchange import current
from automix_graph.serving.gate.failures import too_late
from automix_graph.serving.gate.refusing import note, refuse

_LINGER_SECONDS: Final = 5.0
"""How long a client is borne that does not read, or sends what nobody wants."""
_LATE_SECONDS: Final = 0.5
"""How long after the deadline a door is waited for that was added, and may not know of it."""


async def while_connected(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Run an application for as long as the client is there; what it awaits is cancelled when the client goes.

    It is cancelled too some time after the deadline, and the client is told so if it was told nothing yet.

    Args:
        app: to run.
        scope: of the request.
        body: of the request, which was read already.
        receive: what the server has to say of the client.
        send: to the client.
    """
    gone, begun, complete = asyncio.Event(), False, False
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def told(message: Message) -> None:
        nonlocal begun, complete
        begun = True
        await send(message)
        complete = message["type"] == "http.response.body" and not message.get("more_body", False)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def work() -> None:
        await app(scope, replay, told)

    late = False
    working, watching = asyncio.create_task(work()), asyncio.create_task(watch())
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED, timeout=_time_left())
        # Servers also say that the client has gone once a response is complete; what then remains is tidying up.
        if not working.done() and not complete:
            late = not watching.done()
            note("deadline_exceeded" if late else "client_disconnected")
            working.cancel()
    except asyncio.CancelledError:
        working.cancel()
        raise
    finally:
        gone.set()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    if late and not begun and (exchange := current.get()):
        await refuse(too_late(exchange.seconds), scope, receive, send)


def _time_left() -> float | None:
    # Our doors keep the deadline and say so to the client; there this is for one that does not read what it is told.
    exchange = current.get()
    if exchange is None:
        return None
    more = _LATE_SECONDS if exchange.door == "added" else _LINGER_SECONDS
    return max(exchange.deadline - asyncio.get_running_loop().time(), 0.0) + more


async def discard(receive: Receive, most: int) -> None:
    """Read what else a client sends, within bounds: many read no response before all is sent."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while most > 0 and (message := await receive())["type"] == "http.request":
                most -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
