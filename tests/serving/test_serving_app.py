"""The application itself: over a graph that keeps threads, and mounted in another application."""

from __future__ import annotations

from fastapi import FastAPI
from langgraph.checkpoint.memory import InMemorySaver
from served import CHAT, DRAFT, KEY, bearer, chat, make_graph
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app


def test_a_graph_with_a_checkpointer_is_served() -> None:
    graph = make_graph().copy(update={"checkpointer": InMemorySaver()})
    with TestClient(create_app(graph, settings=ServingSettings(langserve=False))) as ask:
        for question in ("easy", "hard"):
            assert ask.post(CHAT, json=chat(question)).status_code == 200


def test_an_application_that_is_mounted_knows_its_doors() -> None:
    outer = FastAPI()
    outer.mount("/qa", create_app(make_graph(), settings=ServingSettings(keys=(KEY,))))
    with TestClient(outer) as ask:
        assert ask.get("/qa/healthz").status_code == 200
        assert ask.post(f"/qa{CHAT}", json=chat("easy")).status_code == 401
        answered = ask.post(f"/qa{CHAT}", json=chat("easy"), headers=bearer(KEY))
        assert answered.json()["choices"][0]["message"]["content"] == DRAFT
        assert "retrieve" not in ask.get("/qa/").text.split("<script>")[0]
