"""Servers of local models that other processes of the same user may use, and how these find them.

A server that is to be shared has a file of its own in a folder that belongs to the user alone. The file holds its
address and its key, and the server's process holds a lock on it for as long as it lives: the kernel takes the lock away
with the process, so what a lock stands behind is alive, and nobody else can have taken its port. A folder or a file
that is a link, belongs to somebody else or is open to others is not believed. Needs POSIX; elsewhere nothing is shared.
This module starts no server.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import os
import shlex
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from automix_graph.errors import ConfigurationError
from automix_graph.models.cache import cache_dir
from automix_graph.models.endpoint import Endpoint, ServerSettings

_log: Final = logging.getLogger(__name__)

_CHECK_SECONDS: Final = 2.0
_LOCK_SECONDS: Final = 2.0
"""Whoever looks a server up holds its lock for an instant."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LONGEST: Final = 65_536

CAN_SHARE: Final = os.name == "posix"


def find(path: Path, settings: ServerSettings) -> Endpoint | None:
    """Return where a shared server of this user answers that runs a file in just this way; None where none does.

    Args:
        path: of the GGUF file; if it was changed since the server loaded it, the server is another one's.
        settings: how it is to be run.
    """
    if not CAN_SHARE or not _is_private(folder()):
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        entry = _read_locked(folder() / _name(path, settings))
        if entry is not None:
            endpoint = Endpoint(base_url=entry["base_url"], api_key=entry["api_key"])
            return endpoint if _serves(endpoint, entry["label"]) else None
    return None


@contextlib.contextmanager
def claimed(path: Path, settings: ServerSettings) -> Iterator[int]:
    """Take the place of the shared server of a file, and yield the descriptor that its process must inherit.

    The place is held for as long as any process has the descriptor open; here it is closed at the end of the block.

    Raises:
        ConfigurationError: another process shares such a server already, or the folder is open to others.
    """
    if not CAN_SHARE:
        raise ConfigurationError("servers of local models can be shared on POSIX systems only, not on this one")
    _make_private(folder())
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder() / _name(path, settings), flags, 0o600)
    try:
        if not _locked_in_time(descriptor):
            raise ConfigurationError(f"another process shares a server for {str(path)!r} already; use that, or end it")
        os.ftruncate(descriptor, 0)  # what the last server has left: anybody may have its port by now
        yield descriptor
    finally:
        os.close(descriptor)


def announce(descriptor: int, endpoint: Endpoint, *, label: str) -> None:
    """Write down where a server answers, for `find`.

    Args:
        descriptor: from `claimed`.
        endpoint: where it answers.
        label: what it calls its model.
    """
    told = {"base_url": endpoint.base_url, "api_key": endpoint.api_key, "label": label}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(told).encode(), 0)


def folder() -> Path:
    """Return the folder of this user's shared servers."""
    return cache_dir() / f"running-{os.getuid()}"


def _name(path: Path, settings: ServerSettings) -> str:
    found = path.stat()
    which = [str(path), found.st_size, found.st_mtime_ns, settings.context_tokens, settings.parallel, settings.threads]
    return hashlib.sha256(json.dumps(which).encode()).hexdigest()[:32] + ".json"


def _is_private(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _is_own(found)


def _is_own(found: os.stat_result) -> bool:
    return found.st_uid == os.getuid() and not found.st_mode & _OTHERS


def _make_private(directory: Path) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if not _is_private(directory):
        raise ConfigurationError(
            f"{str(directory)!r} holds the keys of running models and is a link, another user's, or open to others; "
            f"remove it, or make it a folder of your own with: chmod 700 {shlex.quote(str(directory))}"
        )


def _read_locked(file: Path) -> dict[str, Any] | None:
    """Return what a file says that a living server holds the lock of; None where no server does."""
    import fcntl

    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or not _is_own(found):
            _log.warning("%s is not believed: it is another user's, or open to others", file)
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            entry: dict[str, Any] = json.loads(os.read(descriptor, _LONGEST))
            return entry
        return None
    finally:
        os.close(descriptor)


def _locked_in_time(descriptor: int) -> bool:
    import fcntl

    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True


def _serves(endpoint: Endpoint, label: str) -> bool:
    """Return whether a server takes its key and tells of its model."""
    address = urlsplit(endpoint.base_url)
    if address.hostname != "127.0.0.1" or address.port is None:
        return False
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_CHECK_SECONDS)
    try:
        connection.request("GET", f"{address.path}/models", headers={"Authorization": f"Bearer {endpoint.api_key}"})
        response = connection.getresponse()
        listed = json.loads(response.read(_LONGEST))
        return response.status == http.client.OK and label in {model["id"] for model in listed["data"]}
    except http.client.HTTPException:
        return False
    finally:
        connection.close()
