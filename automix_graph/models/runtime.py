"""Run GGUF models by llama.cpp, behind its OpenAI-compatible server on the loopback address.

A model is loaded when it is first asked for and shared by everyone in this process who asks for the same file. It runs
in a process of its own (`automix_graph.models.llama_server`): llama.cpp's threads survive no fork and can hold up the
exit of the interpreter, and when it aborts it takes its process with it. The server listens on a random port and
answers only to a random key. This module does not know LangChain.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Final

from automix_graph.errors import MissingExtraError, ModelFileError
from automix_graph.models import running
from automix_graph.models.cores import available_cores
from automix_graph.models.endpoint import Endpoint, ServerSettings
from automix_graph.models.memory import warn_if_short

__all__ = ["Endpoint", "ServerSettings", "serve", "share"]

_SCRIPT: Final = Path(__file__).with_name("llama_server.py")
_MAX_REASON: Final = 300
# OpenMP's threads spin for milliseconds while they wait for each other. On a busy machine that keeps the one they wait
# for from running at all.
_SPIN_COUNT: Final = "10000"


def serve(path: Path, *, label: str, settings: ServerSettings | None = None) -> Endpoint:
    """Return where a model answers, after loading it unless it is running already.

    A server that another process of this user shares (`share`) is used in place of an own one. A forked process goes on
    using the servers of its parent for as long as they answer.

    Args:
        path: of the GGUF file.
        label: what the model is called in responses and errors.
        settings: how to run it; None takes the defaults.

    Raises:
        MissingExtraError: xllamacpp is not installed.
        ModelFileError: llama.cpp cannot load the file.
    """
    return _servers.endpoint(path.resolve(), label, settings or ServerSettings())


def share(path: Path, *, label: str, settings: ServerSettings | None = None) -> Endpoint:
    """Load a model as `serve` does, for all processes of this user, until this one ends.

    Raises:
        ConfigurationError: another process shares such a server already, or keys cannot be kept from other users.
        MissingExtraError: xllamacpp is not installed.
        ModelFileError: llama.cpp cannot load the file.
    """
    path, settings = path.resolve(), settings or ServerSettings()
    with running.claimed(path, settings) as place:
        endpoint = _servers.started(path, label, settings, place=place)
        running.announce(place, endpoint, label=label)
        return endpoint


class _Servers:
    """The servers that this process knows, and those among them that it has started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[tuple[Path, ServerSettings], Endpoint] = {}
        self._processes: list[subprocess.Popen[str]] = []
        self._hooked = False

    def endpoint(self, path: Path, label: str, settings: ServerSettings) -> Endpoint:
        with self._lock:
            known = self._endpoints.get((path, settings))
            if known is not None and known.answers():
                return known
            if (shared := running.find(path, settings)) is not None:
                self._endpoints[path, settings] = shared
                return shared
            return self._started(path, label, settings)

    def started(self, path: Path, label: str, settings: ServerSettings, *, place: int) -> Endpoint:
        with self._lock:
            return self._started(path, label, settings, place)

    def _started(self, path: Path, label: str, settings: ServerSettings, place: int | None = None) -> Endpoint:
        self._hook()
        others = [known for known, _ in self._endpoints]
        warn_if_short(path, label, context_tokens=settings.context_tokens, beside=others)
        process, endpoint = _start(path, label, settings, place)
        self._processes.append(process)
        self._endpoints[path, settings] = endpoint
        return endpoint

    def close(self) -> None:
        with self._lock:
            for process in self._processes:
                _stop(process)
            self._processes.clear()
            self._endpoints.clear()

    def _hook(self) -> None:
        if self._hooked:
            return
        self._hooked = True
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._disown)

    def _disown(self) -> None:
        # The servers belong to the parent, and the lock may be held by one of its threads.
        self._lock = threading.Lock()
        for process in self._processes:
            process.returncode = 0
            if process.stdin is not None:
                process.stdin.close()
        self._processes = []


_servers: Final = _Servers()


def _start(
    path: Path, label: str, settings: ServerSettings, place: int | None
) -> tuple[subprocess.Popen[str], Endpoint]:
    """Start a server; one that has a place among the shared ones holds it for as long as it lives."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError(f"running the local model {label!r}", extra="local")
    key = secrets.token_urlsafe(24)
    request: dict[str, str | int] = {
        "path": str(path),
        "label": label,
        "key": key,
        "context_tokens": settings.context_tokens,
        "parallel": settings.parallel,
        "threads": settings.threads or available_cores(),
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            # -P: the modules beside the script must not hide others of the same name.
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            env={"GOMP_SPINCOUNT": _SPIN_COUNT, **os.environ},
            pass_fds=() if place is None else (place,),
        )
        url = _ask(process, request)
        if url is None:
            raise ModelFileError(
                f"llama.cpp cannot load {label!r} from {path}: {_reason(process, log)}", name=label, code="model-load"
            )
    return process, Endpoint(base_url=f"{url}/v1", api_key=key)


def _ask(process: subprocess.Popen[str], request: dict[str, str | int]) -> str | None:
    """Hand over the request and return the server's address, or None where there is no server."""
    assert process.stdin is not None and process.stdout is not None
    url: str | None = None
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        url = json.loads(reply).get("url") if reply else None
    except BrokenPipeError:
        # It died before it read its request; its exit code says of what.
        pass
    finally:
        # Also on Ctrl-C: half a server helps nobody.
        process.stdout.close()
        if url is None:
            _stop(process)
    return url


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reason(process: subprocess.Popen[str], log: IO[str]) -> str:
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        hints = {"SIGILL": "this CPU lacks AVX2", "SIGKILL": "there was probably not enough memory"}
        return f"it was ended by {name}: {hints.get(name, 'this is a defect of llama.cpp')}"
    log.seek(0)
    # The first error is the cause; the others say who else noticed. A line is "TIME E FUNCTION: MESSAGE".
    told = [line.partition(" E ")[2] for line in log.read().splitlines() if " E " in line]
    return told[0].rpartition("error loading model: ")[2][:_MAX_REASON] if told else "it did not say why"
