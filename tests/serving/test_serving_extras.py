"""Without the extras, what needs them says how to install them, and the rest works."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

SCRIPT = """
import sys
for name in {missing}:
    sys.modules[name] = None
from automix_graph.errors import MissingExtraError
from automix_graph.serving import ServingSettings, add_automix_routes

def told(make):
    try:
        return make()
    except MissingExtraError as error:
        return str(error).partition("pip install ")[2]
{code}
"""
WITHOUT_SERVE = """
from automix_graph.serving.listening import run

def load():
    from automix_graph.serving import create_app
print(told(load), told(lambda: run(None, host="", port=0, grace_seconds=1)))
"""
WITHOUT_LANGSERVE = """
from automix_graph import create_automix
from automix_graph.serving import create_app
from automix_graph.testing import ScriptedChatModel, StaticRetriever
graph = create_automix(small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=StaticRetriever([]))
forced = ServingSettings(langserve=True)
print(
    told(lambda: add_automix_routes(None, graph)),
    told(lambda: create_app(graph, settings=forced)),
    told(lambda: len(create_app(graph).routes) > 3),
)
"""


def run(code: str, *missing: str) -> str:
    command = [sys.executable, "-c", SCRIPT.format(missing=missing, code=code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_server_needs_the_extra_serve() -> None:
    assert run(WITHOUT_SERVE, "prometheus_client", "uvicorn") == " ".join(["'automix-graph[serve]'"] * 2)


def test_langserve_has_an_extra_of_its_own_and_is_left_out_without_it() -> None:
    assert run(WITHOUT_LANGSERVE, "langserve") == " ".join([*["'automix-graph[langserve]'"] * 2, "True"])
