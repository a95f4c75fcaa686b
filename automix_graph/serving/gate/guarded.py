"""The middle part of the gate: where a request comes from, and whether it has a key."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from automix_graph.serving.gate.exchange import OPEN, door_of
from automix_graph.serving.gate.failures import RequestFailed
from automix_graph.serving.gate.keys import Keyring
from automix_graph.serving.gate.refusing import path_of, refuse
from automix_graph.serving.settings import ServingSettings


class Guarded:
    """Refuses requests from elsewhere and requests without a key.

    A script on another web site can make a browser send a request to this machine, though it may not read the answer;
    browsers say so in ``Sec-Fetch-Site``, and old ones in ``Origin`` alone. It can also point a name of its own at this
    machine, which ``Host`` shows.

    Args:
        app: what it wraps.
        settings: with keys, hosts and origins.
    """

    def __init__(self, app: ASGIApp, *, settings: ServingSettings) -> None:
        self._app = app
        self._keys = Keyring(settings.keys)
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._origins = frozenset(settings.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        failure = self._objection(scope) if scope["type"] == "http" else None
        if failure is None:
            await self._app(scope, receive, send)
        else:
            await refuse(failure, scope, receive, send)

    def _objection(self, scope: Scope) -> RequestFailed | None:
        headers = Headers(scope=scope)
        if self._hosts and _host(headers.get("host", "")) not in self._hosts:
            return _foreign("This server does not answer to the name in the Host header", code="host_not_allowed")
        if scope["method"] == "POST" and _is_foreign(headers) and headers.get("origin") not in self._origins:
            return _foreign("This server takes no questions from the pages of other sites", code="origin_not_allowed")
        if self._keys and door_of(path_of(scope)) not in OPEN and not self._keys.opens(headers.get("authorization")):
            return RequestFailed(
                "A key is needed: send the header 'Authorization: Bearer KEY'",
                status=401,
                kind="authentication_error",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        return None


def _is_foreign(headers: Headers) -> bool:
    """Whether a page of another site sent a request, as far as its browser says so; programs say nothing."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None or origin is None:
        return site not in {None, "none", "same-origin"}
    # The scheme is not compared: a proxy that ends TLS changes it.
    return origin.partition("://")[2].lower() != headers.get("host", "").strip().lower()


def _host(value: str) -> str:
    # [::1]:8000 and localhost:8000, with or without the port
    return re.sub(r":\d+$", "", value.strip().lower())


def _foreign(message: str, *, code: str) -> RequestFailed:
    return RequestFailed(message, status=403, kind="invalid_request_error", code=code)
