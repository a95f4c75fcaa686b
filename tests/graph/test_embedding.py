"""The graph inside other people's programs: pipes, batches, parents with another state, checkpointers, traces."""

import operator
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from scene import DRAFT, LARGE, QUESTION, THREAD, MakeScene, durable
from typing_extensions import TypedDict

from automix_graph.graph import build_automix
from automix_graph.testing import FunctionChatModel, StaticRetriever

ESCALATED = {"judge": ["Incorrect"], "large": [LARGE]}


@pytest.mark.parametrize(("script", "answer"), [({}, DRAFT), (ESCALATED, LARGE)], ids=["accepted", "escalated"])
async def test_in_a_pipe_it_gives_what_invoke_gives(make_scene: MakeScene, script: dict[str, Any], answer: str) -> None:
    def pipe() -> Any:
        return (lambda text: {"question": text}) | make_scene(**script).graph | (lambda result: result["answer"])

    async def streamed(parts: AsyncIterator[str]) -> str:
        return "".join([part async for part in parts])

    assert pipe().invoke("What?") == answer
    assert await pipe().ainvoke("What?") == answer
    assert "".join(pipe().stream("What?")) == answer
    assert await streamed(pipe().astream("What?")) == answer
    assert pipe().batch(["What?"]) == [answer]
    assert await pipe().abatch(["What?"]) == [answer]


def test_streamed_by_itself_it_gives_values(make_scene: MakeScene) -> None:
    *_, last = make_scene().graph.stream(QUESTION)
    assert last["answer"] == DRAFT


class Ticket(TypedDict):
    body: str
    reply: str
    log: Annotated[list[str], operator.add]


@pytest.mark.parametrize("script", [{}, ESCALATED], ids=["accepted", "escalated"])
async def test_it_is_a_node_of_a_parent_with_another_state(make_scene: MakeScene, script: dict[str, Any]) -> None:
    expected = LARGE if script else DRAFT
    for form in ("wrapped", "piped"):
        graph = make_scene(**script).graph

        def wrapped(state: Ticket, graph: Any = graph) -> dict[str, Any]:
            result = graph.invoke({"question": state["body"]})
            return {"reply": result["answer"], "log": [result["route"]]}

        piped: Any = (
            RunnableLambda(lambda state: {"question": state["body"]})
            | graph
            | (lambda result: {"reply": result["answer"], "log": [result["route"]]})
        )
        parent = StateGraph(Ticket)
        parent.add_node("answer", wrapped if form == "wrapped" else piped)
        parent.add_edge(START, "answer")
        parts = [
            part
            async for part in parent.compile().astream(
                {"body": "What?", "log": []}, stream_mode=["values", "messages"], subgraphs=True
            )
        ]
        final = [part for _, mode, part in parts if mode == "values"][-1]
        assert (final["reply"], final["log"]) == (expected, ["large" if script else "small"])
        streamed = "".join(str(part[0].text) for _, mode, part in parts if mode == "messages")
        assert streamed == expected


def test_a_sqlite_thread_survives_a_crash_between_nodes(tmp_path: Path) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)  # as in strict mode
        graph = durable(saver)
        with pytest.raises(Exception, match="large_answer"):
            graph.invoke(QUESTION, THREAD)
        assert graph.invoke(None, THREAD)["answer"] == LARGE
        assert graph.invoke({"messages": [("user", "And then?")]}, THREAD)["answer"] == "second"
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        conversation = durable(saver).get_state(THREAD).values["conversation"]
        assert [message.text for message in conversation] == ["And then?", "second"]


async def test_an_async_sqlite_thread_does_too(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        graph = durable(saver)
        with pytest.raises(Exception, match="large_answer"):
            await graph.ainvoke(QUESTION, THREAD)
        assert (await graph.ainvoke(None, THREAD))["answer"] == LARGE


async def test_a_thousand_questions_do_not_mix() -> None:
    graph = build_automix(
        small=FunctionChatModel(lambda prompt: prompt.rsplit("#", 1)[1].split("?", 1)[0], label="s"),
        large=FunctionChatModel(lambda prompt: "Correct", label="l"),
        retriever=StaticRetriever(["text"]),
    ).compile(checkpointer=InMemorySaver())
    asked = [{"question": f"What is #{number}?"} for number in range(200)]
    configs: list[Any] = [{"configurable": {"thread_id": str(number)}} for number in range(200)]
    answers = await graph.abatch(asked, configs)
    assert [result["answer"] for result in answers] == [str(number) for number in range(200)]


@pytest.mark.parametrize("script", [{}, ESCALATED], ids=["accepted", "escalated"])
async def test_a_trace_tells_how_a_question_ended(make_scene: MakeScene, script: dict[str, Any]) -> None:
    for way in ("sync", "async"):
        collector = RunCollectorCallbackHandler()
        config: Any = {"callbacks": [collector]}
        graph = make_scene(**script).graph
        result = graph.invoke(QUESTION, config) if way == "sync" else await graph.ainvoke(QUESTION, config)
        (run,) = collector.traced_runs
        told = {name.removeprefix("automix_"): value for name, value in run.metadata.items() if "automix_" in name}
        assert told == {name: result[name] for name in ("route", "verdict", "confidence", "cost", "degraded")}
        assert run.name == "automix"
        names = [child.name for child in run.child_runs]
        assert names == ["retrieve", "small_answer", "verify", *(["large_answer"] if script else [])]
        assert "What" not in repr((run.tags, run.metadata))


def test_in_a_parent_the_run_of_the_graph_tells(make_scene: MakeScene) -> None:
    collector = RunCollectorCallbackHandler()
    pipe = RunnableLambda(lambda text: {"question": text}) | make_scene().graph
    pipe.invoke("What?", {"callbacks": [collector]})
    (run,) = collector.traced_runs
    automix = next(child for child in run.child_runs if child.name == "automix")
    assert automix.metadata["automix_route"] == "small"
    assert "automix_route" not in (run.metadata or {})
