"""The end of a process whose calls in threads have not ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

pytestmark = pytest.mark.integration

PROGRAM = """
import time
import click
from automix_graph import create_automix
from automix_graph.cli.serve import _listen
from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.listening import run
from automix_graph.testing import FunctionChatModel, StaticRetriever

def forever(_):
    print("called", flush=True)
    time.sleep(60)
    return "too late"

graph = create_automix(
    small=FunctionChatModel(forever, label="small"),
    large=FunctionChatModel(lambda _: "Correct", label="large"),
    retriever=StaticRetriever(["a passage"]),
)
app = create_app(graph, settings=ServingSettings(langserve=False))

@click.command()
def serve():
    _listen(lambda: run(app, host="127.0.0.1", port=0, grace_seconds=1), None)

serve([])
"""


def test_the_grace_bounds_the_end_where_a_model_knows_no_async() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        before = iter(process.stderr.readline, "")
        url = next(found[0] for line in before if (found := re.search(r"http://\S+", line)))
        answers: list[httpx.Response] = []
        body = {"model": "automix", "messages": [{"role": "user", "content": "When?"}]}
        ask = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{url}/v1/chat/completions", json=body, trust_env=False, timeout=30)
            )
        )
        ask.start()
        assert process.stdout.readline() == "called\n"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)
        ended = time.monotonic() - began
        ask.join(10)
        (line,) = [json.loads(line) for line in process.stdout]
        errors = process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert status == 143
    assert ended < 10
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(503, "shutting_down")]
    assert (line["status"], line["error"]) == (503, "shutting_down")
    assert "CancelledError" not in errors
