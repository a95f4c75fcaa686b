"""The innermost part of the gate: a place for a request that calls models, and its body, both within bounds."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from automix_graph.serving.gate.connection import discard, while_connected
from automix_graph.serving.gate.exchange import WORKING, Door, current, door_of
from automix_graph.serving.gate.failures import RequestFailed, too_busy, too_large, too_slow
from automix_graph.serving.gate.places import Places
from automix_graph.serving.gate.readable import is_json, require_json
from automix_graph.serving.gate.refusing import path_of, refuse
from automix_graph.serving.metrics import Metrics
from automix_graph.serving.settings import ServingSettings

_BODY_SECONDS: Final = 30.0
"""How long a body may take to arrive; it has a place meanwhile."""


class Bounded:
    """Bounds what a request may take: a place, memory for its body, time; and ends its work when nobody waits for it.

    Args:
        app: what it wraps.
        settings: limits.
        metrics: that it counts in.
    """

    def __init__(self, app: ASGIApp, *, settings: ServingSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._places = Places(settings.max_concurrent)
        metrics.left_behind.set_function(lambda: self._places.left_behind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST" or self._door(scope) not in WORKING:
            await self._app(scope, receive, send)
            return
        place = self._places.take()
        if place is None:
            await refuse(too_busy(self._settings.retry_after_seconds), scope, receive, send)
            return
        if exchange := current.get():
            exchange.place = place
        self._metrics.in_flight.inc()
        try:
            await self._work(scope, receive, send)
        finally:
            self._metrics.in_flight.dec()
            place.leave()

    def _door(self, scope: Scope) -> Door:
        return door_of(path_of(scope), self._settings.working_paths)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._body(scope, receive)
            if body is not None and self._is_ours(scope):
                require_json(body)
        except RequestFailed as failure:
            await refuse(failure, scope, receive, send)
            return
        if body is not None:
            await while_connected(self._app, scope, body, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body; None where the client went away."""
        most = self._settings.max_body_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(min(_BODY_SECONDS, self._settings.deadline_seconds)):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > most:
                        await discard(receive, 8 * most if message.get("more_body", False) else 0)
                        raise _body_too_large(most)
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as error:
            raise too_slow() from error
        return None

    def _is_ours(self, scope: Scope) -> bool:
        """Whether a handler will take the body for JSON, and refuse as ours do; LangServe's have their own check."""
        return self._door(scope) != "langserve" and is_json(Headers(scope=scope).get("content-type", ""))


def _body_too_large(most: int) -> RequestFailed:
    return too_large(f"The body of the request is longer than {most} bytes", code="body_too_large")
