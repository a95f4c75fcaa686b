"""The server of llama.cpp for real: who shares it, who may ask it, how it starts and ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from langchain_core.exceptions import ModelError
from local_model import QUESTION, SMALL

from automix_graph.errors import ModelFileError
from automix_graph.models import resolve_chat_model
from automix_graph.models.runtime import Endpoint, ServerSettings, serve

pytestmark = pytest.mark.local


def test_the_server_is_shared_and_answers_only_to_its_key(local_endpoint: Endpoint, local_weights: Path) -> None:
    assert serve(local_weights, label="another name") is local_endpoint
    assert (
        serve(local_weights.parent / ".." / local_weights.parent.name / local_weights.name, label="x") is local_endpoint
    )
    address = local_endpoint.base_url.removesuffix("/v1")
    assert address.startswith("http://127.0.0.1:")
    for method, where in [
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/props"),
        ("GET", "/slots"),
    ]:
        assert httpx.request(method, address + where, json={}, trust_env=False).status_code == 401
    assert httpx.get(address + "/", trust_env=False).status_code == 404, "no web page"


def test_settings_of_ones_own_get_a_server_of_their_own(local_weights: Path, local_endpoint: Endpoint) -> None:
    settings = ServerSettings(context_tokens=512, parallel=1, threads=1)
    model = resolve_chat_model(SMALL, server=settings)
    assert serve(local_weights, label="x", settings=settings).base_url != local_endpoint.base_url
    with pytest.raises(ModelError, match="exceeds the available context size"):
        model.invoke("word " * 600, max_tokens=1)


def test_a_cut_file_is_one_line_and_no_crash(local_weights: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with local_weights.open("rb") as whole:
        cut.write_bytes(whole.read(20_000_000))
    with pytest.raises(ModelFileError, match="model is corrupted or incomplete") as caught:
        resolve_chat_model(f"local:{cut}")
    assert "\n" not in str(caught.value)


def test_a_dead_server_is_started_again(local_weights: Path) -> None:
    script = f"""
import os, signal, subprocess, sys
from automix_graph.models import resolve_chat_model
model = resolve_chat_model({SMALL!r})
children = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True).stdout.split()
os.kill(int(children[0]), signal.SIGKILL)
while True:
    model = resolve_chat_model({SMALL!r})
    try:
        print(model.invoke({QUESTION!r}).text)
        break
    except Exception as error:
        assert "Connection" in str(error), error
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "Paris" in run.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_exit_is_quick_and_silent_even_after_a_fork_and_in_the_midst_of_a_request(local_weights: Path) -> None:
    script = f"""
import os, sys, threading, time
from automix_graph.models import resolve_chat_model
model = resolve_chat_model({SMALL!r})
child = os.fork()
if child == 0:
    assert resolve_chat_model({SMALL!r}).openai_api_base == model.openai_api_base
    assert "Paris" in model.invoke({QUESTION!r}).text
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
def ask():
    try:
        model.bind(max_tokens=4000, stop=["no such words"]).invoke("Write a very long story.")
    except Exception:
        pass
threading.Thread(target=ask, daemon=True).start()
time.sleep(0.5)
print(time.time())
"""
    command = [sys.executable, "-W", "error", "-c", script]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert time.time() - float(run.stdout) < 5
    assert run.stderr == ""


def test_the_server_ends_with_a_killed_parent(local_weights: Path) -> None:
    script = f"""
import time
from automix_graph.models.runtime import serve
from pathlib import Path
print(serve(Path({str(local_weights)!r}), label="x").base_url, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        endpoint = Endpoint(base_url=parent.stdout.readline().strip(), api_key="")
        assert endpoint.answers()
        parent.kill()
    deadline = time.monotonic() + 10
    while endpoint.answers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not endpoint.answers()
