"""How the gate says no: the response, and the note for log and metrics."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from automix_graph.serving.gate.exchange import current
from automix_graph.serving.gate.failures import RequestFailed


async def refuse(failure: RequestFailed, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a failure as the response, and note it."""
    note(failure.code)
    await response_of(failure)(scope, receive, send)


def response_of(failure: RequestFailed) -> JSONResponse:
    """Return a failure as a response."""
    return JSONResponse(failure.body(), status_code=failure.status, headers=failure.headers)


def note(code: str) -> None:
    """Note why the current request ends without an answer."""
    if exchange := current.get():
        exchange.error = code


def path_of(scope: Scope) -> str:
    """Return the path of a request within the application, wherever that is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"
