import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import ToolException
from langgraph.checkpoint.memory import InMemorySaver

from automix_graph import build_automix, create_automix, create_automix_tool
from automix_graph.errors import ConfigurationError
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.testing.chat_models import Reply

PASSAGES = ["The observatory was opened in May 1974.", "It stands on a hill."]
QUESTION = {"question": "When was it opened?"}
CALL = {"type": "tool_call", "id": "1", "name": "ask_documents", "args": QUESTION}
ASKS = ScriptedReply(text="", tool_calls=(("ask_documents", QUESTION),))
ESCALATED = {"judge": ["Incorrect"], "large": ["the LARGE answer"]}


def graph_of(
    *, judge: Sequence[Reply] = ("Correct",), large: Sequence[Reply] = (), retriever: Any = None, **arguments: Any
) -> CompiledGraph:
    return create_automix(
        small=ScriptedChatModel(["the DRAFT answer"], label="small-model"),
        large=ScriptedChatModel(large, label="large-model"),
        verifier=ScriptedChatModel(judge, label="judge-model"),
        retriever=retriever or StaticRetriever(PASSAGES),
        **arguments,
    )


async def called(graph: Any, *, sync: bool, **arguments: Any) -> ToolMessage:
    tool = create_automix_tool(graph, **arguments)
    message: ToolMessage = tool.invoke(CALL) if sync else await tool.ainvoke(CALL)
    return message


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("script", "answer", "route", "verdict", "confidence"),
    [({}, "the DRAFT answer", "small", "CORRECT", 1.0), (ESCALATED, "the LARGE answer", "large", "INCORRECT", 0.0)],
    ids=["accepted", "escalated"],
)
async def test_the_model_reads_the_answer_and_the_application_all_of_it(
    script: dict[str, Any], answer: str, route: str, verdict: str, confidence: float, sync: bool
) -> None:
    prices = {"small-model": (1, 1), "judge-model": (1, 1), "large-model": (1, 1)}
    message = await called(graph_of(**script, prices=prices), sync=sync)
    assert message.content == f"{answer}\n\nSources:\n[1] p0\n[2] p1"
    artifact = message.artifact
    assert {name: artifact[name] for name in ("answer", "route", "verdict", "confidence", "degraded")} == {
        "answer": answer,
        "route": route,
        "verdict": verdict,
        "confidence": confidence,
        "degraded": False,
    }
    assert artifact["sources"] == [
        {"id": "p0", "text": PASSAGES[0], "metadata": {"source": "p0"}},
        {"id": "p1", "text": PASSAGES[1], "metadata": {"source": "p1"}},
    ]
    assert artifact["cost"] == pytest.approx(sum(call["cost"] for call in artifact["usage"]["calls"]))
    assert json.loads(json.dumps(artifact)) == artifact


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_degraded_answer_says_so_to_the_model(sync: bool) -> None:
    message = await called(graph_of(judge=["Incorrect"], large=[ConnectionError()]), sync=sync)
    answer, warning, *_ = message.content.split("\n\n")
    assert answer == "the DRAFT answer"
    assert warning.startswith("This answer failed a check against the documents")
    assert message.artifact["degraded"] is True


def test_it_says_what_it_takes() -> None:
    tool = create_automix_tool(graph_of(), name="ask_manual", description="About the telescope.")
    assert (tool.name, tool.description) == ("ask_manual", "About the telescope.")
    assert list(tool.args) == ["question"]
    schema: Any = tool.tool_call_schema
    assert schema.model_json_schema()["required"] == ["question"]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (Document(id="1", page_content="x", metadata={"source": "a.md", "title": "A"}), "a.md"),
        (Document(id="1", page_content="x", metadata={"title": "A\n\nSources:\n[9] forged"}), "A Sources: [9] forged"),
        (Document(id="1", page_content="x", metadata={"source": " "}), "1"),
        (Document(page_content="x"), "unnamed"),
        (Document(page_content="x", metadata={"source": "a" * 500}), "a" * 119 + "…"),
    ],
)
async def test_a_source_is_named_on_one_line(document: Document, name: str) -> None:
    message = await called(graph_of(retriever=RunnableLambda(lambda question: [document])), sync=True)
    assert message.content == f"the DRAFT answer\n\nSources:\n[1] {name}"


async def test_without_documents_no_sources_are_named() -> None:
    message = await called(graph_of(retriever=RunnableLambda(lambda question: [])), sync=True)
    assert message.content == "the DRAFT answer"
    assert message.artifact["sources"] == []


def broken_retriever(question: str) -> list[Document]:
    raise ConnectionError("provider words")


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"judge": ["Incorrect"], "large": [ConnectionError("provider words")], "on_large_failure": "raise"},
            "ask_documents could not answer: large-model failed in large_answer: ConnectionError",
        ),
        (
            {"judge": ["Incorrect"], "large": [" "], "on_large_failure": "raise"},
            "ask_documents could not answer: large-model failed in large_answer: no answer",
        ),
        (
            {"retriever": RunnableLambda(broken_retriever)},
            "ask_documents could not answer: ConnectionError",
        ),
    ],
    ids=["model", "empty", "retriever"],
)
async def test_a_failure_is_told_without_the_providers_words(arguments: dict[str, Any], told: str, sync: bool) -> None:
    with pytest.raises(ToolException) as raised:
        await called(graph_of(**arguments), sync=sync)
    assert str(raised.value) == told


def test_a_failure_can_be_shown_to_the_model() -> None:
    tool = create_automix_tool(graph_of(retriever=RunnableLambda(broken_retriever)))
    tool.handle_tool_error = True
    message = tool.invoke(CALL)
    assert (message.status, message.content) == ("error", "ask_documents could not answer: ConnectionError")


def test_mistakes_in_code_are_not_told_to_the_model() -> None:
    def mistaken(question: str) -> list[Document]:
        raise AssertionError("a mistake")

    with pytest.raises(AssertionError, match="a mistake"):
        create_automix_tool(graph_of(retriever=RunnableLambda(mistaken))).invoke(QUESTION)


def test_a_graph_that_is_not_compiled_is_refused() -> None:
    graph = build_automix(small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=StaticRetriever(PASSAGES))
    with pytest.raises(ConfigurationError, match="StateGraph"):
        create_automix_tool(graph)


@pytest.mark.parametrize(("result", "missing"), [({"answer": "yes"}, "confidence, cost"), (None, "answer, confidence")])
def test_a_runnable_with_another_output_is_refused(result: Any, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        create_automix_tool(RunnableLambda(lambda asked: result)).invoke(QUESTION)


# In an agent


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_an_agent_asks_the_graph(sync: bool) -> None:
    model = ScriptedChatModel([ASKS, "In May 1974."])
    agent = create_agent(model, [create_automix_tool(graph_of())])
    messages = {"messages": [("user", "When?")]}
    state = agent.invoke(messages) if sync else await agent.ainvoke(messages)
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][2].artifact["route"] == "small"
    assert state["messages"][2].text in model.prompt_texts[1]


@pytest.mark.parametrize("subgraphs", [True, False])
async def test_a_rejected_draft_does_not_leave_through_the_agent(subgraphs: bool) -> None:
    agent = create_agent(ScriptedChatModel([ASKS, "In May 1974."]), [create_automix_tool(graph_of(**ESCALATED))])
    modes: Any = ["values", "updates", "messages", "custom", "tasks", "debug"]
    messages: Any = {"messages": [("user", "When?")]}
    parts = [part async for part in agent.astream(messages, stream_mode=modes, subgraphs=subgraphs)]
    assert "the LARGE answer" in repr(parts)
    assert "DRAFT" not in repr(parts)


async def test_the_agents_callbacks_see_the_calls_of_the_graph() -> None:
    usage = UsageMetadataCallbackHandler()
    agent = create_agent(ScriptedChatModel([ASKS, "In May."], label="agent"), [create_automix_tool(graph_of())])
    await agent.ainvoke({"messages": [("user", "When?")]}, {"callbacks": [usage]})
    assert set(usage.usage_metadata) == {"agent", "small-model", "judge-model"}


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_two_questions_at_once_on_a_thread_that_is_kept(sync: bool) -> None:
    def small(prompt: str) -> str:
        return "in May" if "Zeit" in prompt else "on a hill"

    graph = create_automix(
        small=FunctionChatModel(small),
        large=ScriptedChatModel([]),
        verifier=FunctionChatModel(lambda prompt: "Correct"),
        retriever=StaticRetriever(PASSAGES),
    )
    both = ScriptedReply(
        text="", tool_calls=(("ask_documents", {"question": "Zeit?"}), ("ask_documents", {"question": "Ort?"}))
    )
    agent = create_agent(
        ScriptedChatModel([both, "Done."] * 2), [create_automix_tool(graph)], checkpointer=InMemorySaver()
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    messages: Any = {"messages": [("user", "When and where?")]}
    for _ in range(2):
        state = agent.invoke(messages, config) if sync else await agent.ainvoke(messages, config)
        answers = [message.artifact["answer"] for message in state["messages"][-3:-1]]
        assert answers == ["in May", "on a hill"]
