"""``langgraph dev`` in a process of its own, on this machine and without a way to others."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_SECONDS = 90
STOP_SECONDS = 30
NOBODY = "http://127.0.0.1:9"
"""A proxy that is not there, so that a call to another machine fails at once."""


def write_config(folder: Path) -> None:
    """Write the project's ``langgraph.json``, with scripted models behind the same factory."""
    config = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))
    graph = config["graphs"]["automix"]
    graph["path"] = graph["path"].replace("automix_graph.langgraph_server:", "scripted_graph:")
    (folder / "langgraph.json").write_text(json.dumps(config), encoding="utf-8")


@contextlib.contextmanager
def running(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Serve the graph of a folder's ``langgraph.json``.

    Args:
        folder: in which the server runs; it writes its state and ``server.log`` there.
        settings: environment variables of the graph.

    Yields:
        The address of the server.
    """
    port = _free_port()
    options = ["--no-browser", "--no-reload", "--n-jobs-per-worker", "8", "--port", str(port)]
    command = [sys.executable, "-m", "langgraph_cli", "dev", *options]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(url, process, folder / "server.log")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AUTOMIX_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_"))
    }
    proxies = {name: NOBODY for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    local = {name: "127.0.0.1,localhost" for name in ("NO_PROXY", "no_proxy")}
    quiet = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true", "LANGSMITH_TRACING": "false"}
    return kept | proxies | local | quiet | {"PYTHONPATH": str(HERE), "PYTHONIOENCODING": "utf-8"} | dict(settings)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/ok").is_success:
                    return
            time.sleep(0.05)
    raise AssertionError(f"langgraph dev did not come up:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
