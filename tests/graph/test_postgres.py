"""Threads in Postgres: crashes, conversations, many at once; in the strict mode that LangGraph advises."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgres_cluster
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from scene import DRAFT, LARGE, QUESTION, durable

from automix_graph.graph import build_automix
from automix_graph.records import Record
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever

postgres = pytest.importorskip(
    "langgraph.checkpoint.postgres", reason="needs langgraph-checkpoint-postgres and psycopg"
)
aio = pytest.importorskip("langgraph.checkpoint.postgres.aio", reason="needs langgraph-checkpoint-postgres and psycopg")
BINARIES = postgres_cluster.binaries()
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(BINARIES is None, reason="needs the programs of a PostgreSQL server: initdb, postgres"),
]

STRICT = JsonPlusSerializer(allowed_msgpack_modules=None)
"""What ``LANGGRAPH_STRICT_MSGPACK=true`` makes the default; LangGraph reads the variable when it is imported."""


@pytest.fixture(scope="module")
def connection() -> Iterator[str]:
    assert BINARIES is not None
    with postgres_cluster.running(BINARIES) as connection:
        yield connection


@pytest.fixture
def thread(request: pytest.FixtureRequest) -> Any:
    """Return a thread of the test's own."""
    return {"configurable": {"thread_id": request.node.name}}


@pytest.fixture
def saver(connection: str) -> Iterator[Any]:
    with postgres.PostgresSaver.from_conn_string(connection) as saver:
        saver.setup()
        saver.serde = STRICT
        yield saver


def test_what_a_process_paid_for_is_not_paid_for_again_by_the_next(connection: str) -> None:
    def run(step: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(Path(__file__).with_name("postgres_process.py")), step, connection]
        env = os.environ | {"LANGGRAPH_STRICT_MSGPACK": "true"}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    asked = run("ask")
    assert (asked.returncode, asked.stdout) == (9, ""), asked.stderr
    resumed = run("resume")
    assert json.loads(resumed.stdout or "null") == {
        "answer": LARGE,
        "stages": ["small_answer", "verify", "large_answer"],
        "strict": True,
    }, resumed.stderr


def test_a_thread_goes_on_after_a_failure(connection: str, saver: Any, thread: Any) -> None:
    graph = durable(saver)
    with pytest.raises(Exception, match="large_answer"):
        graph.invoke(QUESTION, thread)
    assert graph.invoke(None, thread)["answer"] == LARGE
    assert graph.invoke({"messages": [("user", "And then?")]}, thread)["answer"] == "second"
    with postgres.PostgresSaver.from_conn_string(connection) as another:
        another.serde = STRICT
        conversation = durable(another).get_state(thread).values["conversation"]
    assert [message.text for message in conversation] == ["And then?", "second"]


async def test_an_async_thread_does_too(connection: str, saver: Any, thread: Any) -> None:
    async with aio.AsyncPostgresSaver.from_conn_string(connection, serde=STRICT) as async_saver:
        graph = durable(async_saver)
        with pytest.raises(Exception, match="large_answer"):
            await graph.ainvoke(QUESTION, thread)
        assert (await graph.ainvoke(None, thread))["answer"] == LARGE
        assert (await graph.ainvoke({"messages": [("user", "And then?")]}, thread))["answer"] == "second"
    conversation = durable(saver).get_state(thread).values["conversation"]
    assert [message.text for message in conversation] == ["And then?", "second"]


def test_nothing_of_the_last_question_leaks_into_the_next(saver: Any, thread: Any) -> None:
    graph: Any = build_automix(
        small=ScriptedChatModel([DRAFT, ConnectionError("down")], label="s"),
        large=ScriptedChatModel(["Correct", LARGE], label="l"),
        retriever=StaticRetriever(["text"]),
    ).compile(checkpointer=saver)
    first = graph.invoke({"question": "first?"}, thread)
    second = graph.invoke({"question": "second?"}, thread)
    assert (first["route"], first["verdict"], first["confidence"]) == ("small", "CORRECT", 1.0)
    assert (second["route"], second["verdict"], second["confidence"]) == ("large", "UNPARSED", None)
    assert [call["stage"] for call in second["usage"]["calls"]] == ["small_answer", "large_answer"]
    state = graph.get_state(thread).values
    assert DRAFT not in repr(state)
    assert DRAFT not in Record.unseal(state["record"]).to_json()


async def test_many_threads_at_once_do_not_mix(connection: str, saver: Any) -> None:
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(connection, min_size=4, max_size=4, kwargs=options, open=False) as pool:
        graph: Any = build_automix(
            small=FunctionChatModel(lambda prompt: prompt.rsplit("#", 1)[1].split("?", 1)[0], label="s"),
            large=FunctionChatModel(lambda _: "Correct", label="l"),
            retriever=StaticRetriever(["text"]),
        ).compile(checkpointer=aio.AsyncPostgresSaver(pool, serde=STRICT))
        configs = [{"configurable": {"thread_id": f"many-{number}"}} for number in range(40)]
        answers = await graph.abatch([{"question": f"What is #{number}?"} for number in range(40)], configs)
        assert [result["answer"] for result in answers] == [str(number) for number in range(40)]
        kept = await graph.aget_state(configs[7])
        assert kept.values["answer"] == "7"
