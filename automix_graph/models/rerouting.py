"""HTTP to a local server that may be gone: it is found or started again, and the request goes there.

A server may belong to another process, which ends when it wants to, and any server can crash. Only a request that found
nobody is sent again, so none is served twice. Imported only where a local model is used.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx

from automix_graph.models.endpoint import Endpoint


class Whereabouts:
    """Where a local model answers now; shared by all that talk to it.

    Args:
        endpoint: where it answers.
        renewed: returns where it answers, after starting it again if it has to be.
    """

    def __init__(self, endpoint: Endpoint, renewed: Callable[[], Endpoint]) -> None:
        self.endpoint = endpoint
        self._renewed = renewed
        self._lock = threading.Lock()

    def after(self, gone: Endpoint) -> Endpoint:
        """Return where the model answers that does not answer any more at an endpoint.

        Raises:
            ModelFileError: it cannot be loaded again.
        """
        with self._lock:
            if self.endpoint == gone:
                self.endpoint = self._renewed()
            return self.endpoint


class Rerouting(httpx.BaseTransport):
    """Send requests to where a model answers.

    Args:
        whereabouts: of the model.
        transport: that carries them.
    """

    def __init__(self, whereabouts: Whereabouts, transport: httpx.BaseTransport) -> None:
        self._whereabouts = whereabouts
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, once more if nobody was there to take it."""
        endpoint = self._whereabouts.endpoint
        try:
            return self._transport.handle_request(_addressed(request, endpoint))
        except httpx.ConnectError:
            return self._transport.handle_request(_addressed(request, self._whereabouts.after(endpoint)))

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class AsyncRerouting(httpx.AsyncBaseTransport):
    """Send requests to where a model answers, asynchronously; see `Rerouting`."""

    def __init__(self, whereabouts: Whereabouts, transport: httpx.AsyncBaseTransport) -> None:
        self._whereabouts = whereabouts
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, once more if nobody was there to take it."""
        endpoint = self._whereabouts.endpoint
        try:
            return await self._transport.handle_async_request(_addressed(request, endpoint))
        except httpx.ConnectError:
            # In a thread: to load a model takes seconds.
            renewed = await asyncio.to_thread(self._whereabouts.after, endpoint)
            return await self._transport.handle_async_request(_addressed(request, renewed))

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _addressed(request: httpx.Request, endpoint: Endpoint) -> httpx.Request:
    to = httpx.URL(endpoint.base_url)
    request.url = request.url.copy_with(host=to.host, port=to.port)
    request.headers["Host"] = to.netloc.decode("ascii")
    request.headers["Authorization"] = f"Bearer {endpoint.api_key}"
    return request
