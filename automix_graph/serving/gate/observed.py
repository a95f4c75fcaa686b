"""The outermost part of the gate: a request gets an id, a deadline, a line in the log, a place in the metrics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automix_graph.serving.gate.exchange import Exchange, current, door_of
from automix_graph.serving.gate.failures import failure_of, shutting_down
from automix_graph.serving.gate.refusing import path_of, refuse
from automix_graph.serving.listening import ACCESS_LOG
from automix_graph.serving.metrics import Metrics
from automix_graph.serving.settings import ServingSettings

REQUEST_ID: Final = "x-request-id"
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CLIENT_GONE: Final = 499
"""Status in the log of a request whose client went away; nobody receives it."""
_LAST_SECONDS: Final = 1.0
"""How long a client may take to be told that the server ends."""

access_log: Final = logging.getLogger(ACCESS_LOG)
_log: Final = logging.getLogger(__name__)


class Observed:
    """Gives a request its id, times it, counts it, and logs a line of JSON that holds no text of it.

    Args:
        app: what it wraps.
        settings: whose deadline counts from here.
        metrics: that it counts in.
    """

    def __init__(self, app: ASGIApp, *, settings: ServingSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(
            request_id=_request_id(Headers(scope=scope).get(REQUEST_ID)),
            door=door_of(path_of(scope), self._settings.working_paths),
            seconds=self._settings.deadline_seconds,
        )
        status, gone, complete = 0, False, False

        async def told(message: Message) -> None:
            nonlocal status, gone, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = exchange.request_id
            try:
                await send(message)
            except Exception:
                # The connection takes no response any more, as after a client that sent more than it announced.
                status, gone = _CLIENT_GONE, True
                raise
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        token = current.set(exchange)
        try:
            await self._app(scope, receive, told)
        except asyncio.CancelledError:
            # What ends by itself, or with its client, ends in here: this one was cut off by the server.
            if not complete:
                exchange.error = exchange.error or "shutting_down"
            if not status:
                await self._say_shutting_down(scope, receive, told)
            raise
        except Exception as error:
            if gone:
                exchange.error = "client_disconnected"
                return
            failure = failure_of(error)
            exchange.error = failure.code
            # Not passed on: the server would log it with the words of a provider or a user.
            _log.error("%s: %s", failure.code, type(error).__name__)
            _log.debug("the failure of a request", exc_info=error)
            if not status:
                await refuse(failure, scope, receive, told)
        finally:
            current.reset(token)
            self._tell(scope, exchange, status or _CLIENT_GONE)

    async def _say_shutting_down(self, scope: Scope, receive: Receive, send: Send) -> None:
        failure = shutting_down(self._settings.retry_after_seconds)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_LAST_SECONDS):
                await refuse(failure, scope, receive, send)

    def _tell(self, scope: Scope, exchange: Exchange, status: int) -> None:
        seconds = time.perf_counter() - exchange.started
        self._metrics.finished(exchange, status, seconds)
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": scope["method"],
            "path": path_of(scope)[:120],
            "status": status,
            "ms": round(seconds * 1000, 1),
            "request_id": exchange.request_id,
        }
        cost = None if exchange.cost is None else round(exchange.cost, 10)
        known = {"route": exchange.route, "cost": cost, "error": exchange.error}
        access_log.info("%s", json.dumps(line | {key: value for key, value in known.items() if value is not None}))


def _request_id(given: str | None) -> str:
    return given if given and _SANE_ID.fullmatch(given) else uuid.uuid4().hex
