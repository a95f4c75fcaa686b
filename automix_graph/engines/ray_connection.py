"""A connection to a Ray cluster: one that is there, or one on this machine for as long as it is needed."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from automix_graph.errors import ConfigurationError, MissingExtraError

ENV_ADDRESS: Final = "RAY_ADDRESS"
"""Environment variable with the address of the cluster, as for Ray itself."""

LOCAL: Final = "local"
"""Address of a cluster that is started on this machine."""

_CONNECT_SECONDS: Final = 10.0

_QUIET: Final = {"RAY_BACKEND_LOG_LEVEL": "fatal"}  # of this process; failures come as exceptions

_LOCAL_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray would report to its makers
    # The loopback alone, as on other systems than Linux: a cluster runs whatever code it is sent.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of what a later version will do
}


def require_ray() -> Any:
    """Return Ray with Ray Data.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("working on a Ray cluster", extra="ray") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray warns of its own defaults, once
        ray.data.DataContext.get_current()
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Connect to a cluster for as long as the block runs.

    A connection that is there already is used as it is, and stays.

    Args:
        address: ``"auto"``, ``"HOST:PORT"``, ``"ray://HOST:PORT"`` or ``"local"``; None: that of the environment
            variable ``RAY_ADDRESS``, else ``"local"``.

    Yields:
        The module of Ray.

    Raises:
        ConfigurationError: there is no cluster that can be reached.
        MissingExtraError: Ray is not installed.
    """
    ray = require_ray()
    if ray.is_initialized():
        yield ray
        return
    _connect(ray, address or os.environ.get(ENV_ADDRESS) or LOCAL)
    try:
        yield ray
    finally:
        with _handlers_kept():
            ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    local = address == LOCAL
    options: dict[str, Any] = {"include_dashboard": False} if local else {}
    with ExitStack() as stack:
        stack.enter_context(_handlers_kept())
        stack.enter_context(_environment(_QUIET))
        stack.enter_context(_standard_error_closed())
        if local:
            stack.enter_context(_environment(_LOCAL_ENVIRONMENT))
            stack.enter_context(_loopback(ray))
        _init(ray, address, options)


def _require_listening(address: str) -> None:
    """Raise an OSError or a ValueError where nobody listens: Ray would try for minutes."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"{address!r} has no host and port")
    socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_SECONDS).close()


def _init(ray: Any, address: str, options: Mapping[str, Any]) -> None:
    try:
        if address not in {LOCAL, "auto"}:
            _require_listening(address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except ImportError as error:
        raise MissingExtraError(f"connecting to {address!r}", extra="ray") from error
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise ConfigurationError(
            f"no Ray cluster can be reached at {address!r} ({type(error).__name__}); give --ray-address the address "
            "of one that runs, as in 'auto' on one of its machines or 'ray://HOST:10001', or leave it and "
            f"{ENV_ADDRESS} out to start one on this machine",
            code="ray-cluster",
        ) from error


@contextmanager
def _loopback(ray: Any) -> Iterator[None]:
    """Have Ray read again what it has read of its environment when it was imported."""
    constants = ray._private.ray_constants
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Drop what is written to stderr below Python: Ray says there that it was asked to be quiet."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep what SIGINT and SIGTERM do in this process: Ray would set handlers of its own."""
    if threading.current_thread() is not threading.main_thread():  # others can set none, Ray's neither
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that was not set in Python
                signal.signal(number, handler)
