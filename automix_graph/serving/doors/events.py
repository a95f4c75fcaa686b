"""Server-sent events: how they are written, and a response that sends them and tidies up whatever happens."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


def event(data: Any, *, name: str | None = None) -> str:
    r"""Return an event with data as JSON, which never holds a line break.

    Example:
        >>> event({"text": "two\nlines"}, name="text")
        'event: text\ndata: {"text":"two\\nlines"}\n\n'
    """
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"event: {name}\ndata: {body}\n\n" if name else f"data: {body}\n\n"


class EventStream(Response):
    """Sends events as a generator makes them, and closes the generator in the task that ran it.

    Args:
        events: as `event` writes them.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        self._events = events
        self.status_code = 200
        self.background = None
        # The second keeps reverse proxies from collecting what should be seen at once.
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        async with aclosing(self._events) as events:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for text in events:
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
