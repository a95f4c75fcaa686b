import json
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from scene import DRAFT, LARGE, PASSAGES, QUESTION, MakeScene

from automix_graph.graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.graph.state import AutomixState
from automix_graph.models.calling import NamedModel
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import ShortVerdict

MODES = ["values", "updates", "messages", "custom", "tasks", "debug", "checkpoints"]
ESCALATED = {"judge": ["The DRAFT answer is Incorrect"], "large": [LARGE]}


def committed(mode: str, parts: list[Any]) -> str:
    """Read the answer as a caller of this mode would."""
    match mode:
        case "values":
            return parts[-1]["answer"]
        case "updates":
            return next(update["answer"] for part in parts for update in part.values() if update.get("answer"))
        case "messages":
            return "".join(message.text for message, _ in parts)
        case _:
            return next(part["answer"] for part in parts if part["event"] == "answer")


@pytest.mark.parametrize("mode", ["values", "updates", "messages", "custom"])
@pytest.mark.parametrize(("script", "answer"), [({}, DRAFT), (ESCALATED, LARGE)], ids=["accepted", "escalated"])
async def test_every_mode_carries_the_committed_answer(
    make_scene: MakeScene, mode: str, script: dict[str, Any], answer: str
) -> None:
    assert committed(mode, list(make_scene(**script).graph.stream(QUESTION, stream_mode=mode))) == answer
    parts = [part async for part in make_scene(**script).graph.astream(QUESTION, stream_mode=mode)]
    assert committed(mode, parts) == answer


async def captured(graph: CompiledGraph, door: str) -> list[Any]:
    if door == "events v1":
        return [event async for event in graph.astream_events(QUESTION, version="v1")]
    if door == "events v2":
        return [event async for event in graph.astream_events(QUESTION, version="v2")]
    if door == "checkpoints":
        graph = graph.copy(update={"checkpointer": InMemorySaver()})
        parts = list(graph.stream(QUESTION, {"configurable": {"thread_id": "1"}}, stream_mode=door))
        assert parts
        return parts
    if door == "all modes":
        return [part async for part in graph.astream(QUESTION, stream_mode=MODES)]
    if door == "all modes, v2":
        return [part async for part in graph.astream(QUESTION, stream_mode=MODES, version="v2")]
    return list(graph.stream(QUESTION, stream_mode=door))


@pytest.mark.filterwarnings("ignore:.*astream_events:DeprecationWarning")
@pytest.mark.parametrize("door", [*MODES, "all modes", "all modes, v2", "events v1", "events v2"])
async def test_a_rejected_draft_leaves_through_no_door(make_scene: MakeScene, door: str) -> None:
    parts = await captured(make_scene(**ESCALATED).graph, door)
    assert "DRAFT" not in repr(parts)
    assert "DRAFT" not in json.dumps(parts, default=repr)


@pytest.mark.filterwarnings("ignore:.*astream_events:DeprecationWarning")
@pytest.mark.parametrize("door", ["messages", "all modes", "all modes, v2", "events v2"])
async def test_a_verifier_that_wraps_its_model_does_not_stream_either(door: str) -> None:
    judge = ScriptedChatModel(["The DRAFT answer is Incorrect"], label="judge")
    graph = create_automix(
        small=ScriptedChatModel([DRAFT]),
        large=ScriptedChatModel([LARGE]),
        retriever=StaticRetriever(PASSAGES),
        verifier=ShortVerdict(judge=NamedModel(label="judge", model=judge), max_tokens=8),
    )
    parts = await captured(graph, door)
    assert "LARGE" in repr(parts)
    assert "DRAFT" not in repr(parts)
    assert "Incorrect" not in repr(parts)


async def test_a_rejected_draft_does_not_leave_through_a_parent_graph(make_scene: MakeScene) -> None:
    parent = StateGraph(AutomixState)
    parent.add_node("automix", make_scene(**ESCALATED).graph)
    parent.add_edge(START, "automix")
    parent.add_edge("automix", END)
    parts = [part async for part in parent.compile().astream(QUESTION, stream_mode=MODES, subgraphs=True)]
    assert LARGE in repr(parts)
    assert "DRAFT" not in repr(parts)


def test_an_escalated_answer_streams_token_by_token(make_scene: MakeScene) -> None:
    parts = list(make_scene(**ESCALATED).graph.stream(QUESTION, stream_mode="messages"))
    assert [message.text for message, _ in parts if message.text] == ["the", " LARGE", " answer"]
    assert all(isinstance(message, AIMessageChunk) for message, _ in parts)


def test_progress_is_told_in_order(make_scene: MakeScene) -> None:
    events = list(make_scene(**ESCALATED).graph.stream(QUESTION, stream_mode="custom"))
    assert [event["event"] for event in events] == ["retrieved", "drafted", "verified", "escalated", "answer"]
    assert events[2]["verdict"] == "INCORRECT"
    assert events[2]["accept"] is False


def test_tracers_and_usage_callbacks_see_every_call(make_scene: MakeScene) -> None:
    usage = UsageMetadataCallbackHandler()
    result = make_scene(**ESCALATED).graph.invoke(QUESTION, {"callbacks": [usage]})
    seen = {model: (tokens["input_tokens"], tokens["output_tokens"]) for model, tokens in usage.usage_metadata.items()}
    charged = {call["model"]: (call["input_tokens"], call["output_tokens"]) for call in result["usage"]["calls"]}
    assert seen == charged
    assert set(seen) == {"small-model", "judge-model", "large-model"}


def test_streaming_does_not_lose_usage(make_scene: MakeScene) -> None:
    parts = list(make_scene(**ESCALATED).graph.stream(QUESTION, stream_mode=["messages", "values"]))
    ledger = [value for mode, value in parts if mode == "values"][-1]["usage"]
    assert ledger["calls_without_usage"] == 0
