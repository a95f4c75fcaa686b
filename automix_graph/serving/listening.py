"""One process that serves an application: where it may listen, what it logs, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Final

from automix_graph.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
"""What a Host header says of a server that only this machine reaches."""
KEEP_ALIVE: Final = 75
"""Seconds for which an idle connection stays open: longer than clients keep one, or it could end under a request."""
ACCESS_LOG: Final = "automix_graph.serving.access"


def is_loopback(host: str) -> bool:
    """Return whether an address reaches no other machine.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def require_safe(host: str, *, has_keys: bool, insecure: bool) -> None:
    """Refuse to listen to other machines without keys.

    Raises:
        ConfigurationError: the address can be reached from elsewhere, and nothing keeps strangers out.
    """
    if not (is_loopback(host) or has_keys or insecure):
        raise ConfigurationError(
            f"host is {host!r}, which other machines reach, and there are no keys; give a file of keys, set "
            "AUTOMIX_API_KEYS, listen on 127.0.0.1, or say --insecure-public if anybody may spend your money",
            code="server-keys",
        )


def require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened to, before anything is loaded for it.

    Args:
        host: address to listen on.
        port: to listen on; 0 for any that is free.

    Raises:
        ConfigurationError: another process listens there, the host is not of this machine, or it is not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} at port {port}: {error.strerror or error}; stop what listens there, or choose "
            "another --port or --host (port 0 takes any that is free)",
            code="server-address",
        ) from error


def run(app: FastAPI, *, host: str, port: int, grace_seconds: float) -> None:
    """Serve until SIGINT or SIGTERM; then take no new connections, and give requests in work time to end.

    Args:
        app: to serve.
        host: address to listen on.
        port: to listen on; 0 for any that is free.
        grace_seconds: that requests have to end; then they are cancelled.
    """
    config = server_config(app, host=host, port=port, grace_seconds=grace_seconds)
    import uvicorn

    _log_access()
    uvicorn.Server(config).run()


def server_config(app: FastAPI, *, host: str, port: int, grace_seconds: float) -> uvicorn.Config:
    """Return how ``automix serve`` has Uvicorn serve an application, for programs with an event loop of their own.

    There: ``await uvicorn.Server(server_config(...)).serve()``. The log of requests is left to the program.

    Args:
        app: to serve.
        host: address to listen on.
        port: to listen on; 0 for any that is free.
        grace_seconds: that requests have to end; then they are cancelled.

    Raises:
        MissingExtraError: the extra ``serve`` is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("serving a graph", extra="serve") from error
    _let_streams_end()
    warnings.filterwarnings("ignore", message="astream_log is deprecated")  # LangServe's own, at each request
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        ws="none",
        log_level="info",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)  # after the configuration, which sets up loggers
    return config


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    # A request that the end of the grace cuts off is in the log of requests; a traceback of it says nothing more.
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _let_streams_end() -> None:
    # LangServe's streams would be cut off at the first signal; like all others they have the grace to end in.
    with contextlib.suppress(ImportError, AttributeError):
        from sse_starlette.sse import AppStatus

        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]


def _log_access() -> None:
    access_log = logging.getLogger(ACCESS_LOG)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    access_log.addHandler(handler)
    access_log.setLevel(logging.INFO)
    access_log.propagate = False
