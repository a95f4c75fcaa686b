import json
from typing import Any

import pytest
from agent_scene import DRAFT, LARGE, QUESTION, SEARCHES, AgentScene, MakeAgent, says
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from automix_graph.models.calling import NamedModel
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import ShortVerdict

MODES = ["values", "updates", "messages", "custom", "tasks", "debug", "checkpoints"]
REJECTED = {"judge": [says("That is Incorrect")], "large": [says(LARGE)]}
FAILED = {"judge": [ConnectionError("DRAFT")], "large": [says(LARGE)]}
CONFIG = {"configurable": {"thread_id": "1"}}
DOORS = [*MODES, "all modes", "all modes, v2", "subgraphs", "events v1", "events v2", "events v3", "log"]


async def captured(scene: AgentScene, door: str, *, sync: bool) -> list[Any]:
    agent = scene.agent
    match door:
        case "events v1" | "events v2":
            return [event async for event in agent.astream_events(QUESTION, CONFIG, version=door[-2:])]
        case "events v3":
            run = await agent.astream_events(QUESTION, CONFIG, version="v3")
            return [event async for event in run]
        case "log":
            return [patch async for patch in agent.astream_log(QUESTION, CONFIG)]
    modes: Any = MODES if door.startswith("all modes") or door == "subgraphs" else door
    version: Any = "v2" if door.endswith("v2") else "v1"
    subgraphs = door == "subgraphs"
    if sync:
        return list(agent.stream(QUESTION, CONFIG, stream_mode=modes, version=version, subgraphs=subgraphs))
    parts = agent.astream(QUESTION, CONFIG, stream_mode=modes, version=version, subgraphs=subgraphs)
    return [part async for part in parts]


@pytest.mark.filterwarnings("ignore:.*astream_(events|log):DeprecationWarning", "ignore:.*v3:Warning")
@pytest.mark.parametrize("script", [REJECTED, FAILED], ids=["rejected", "verifier fails"])
@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("door", DOORS)
async def test_a_rejected_draft_leaves_through_no_door(
    make_agent: MakeAgent, door: str, sync: bool, script: dict[str, Any]
) -> None:
    scene = make_agent(**script, agent={"checkpointer": InMemorySaver()})
    parts = await captured(scene, door, sync=sync)
    text = repr(parts) + json.dumps(parts, default=repr)
    assert "DRAFT" not in text
    assert "That is" not in text
    if door != "custom":
        assert "LARGE" in text
    assert "DRAFT" not in repr(list(scene.agent.get_state_history(CONFIG)))


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_verifier_that_wraps_its_model_does_not_stream_either(make_agent: MakeAgent, sync: bool) -> None:
    judge = ScriptedChatModel([says("That is Incorrect")], label="judge")
    verifier = ShortVerdict(judge=NamedModel(label="judge", model=judge), max_tokens=8)
    scene = make_agent(judge=[], large=[says(LARGE)], verifier=verifier, agent={"checkpointer": InMemorySaver()})
    parts = await captured(scene, "all modes", sync=sync)
    assert "That is" not in repr(parts)


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_an_accepted_draft_arrives_as_a_message(make_agent: MakeAgent, sync: bool) -> None:
    scene = make_agent(agent={"checkpointer": InMemorySaver()})
    parts = await captured(scene, "messages", sync=sync)
    answers = [message for message, _ in parts if isinstance(message, AIMessage) and message.text]
    assert [message.text for message in answers] == [DRAFT]
    assert answers[0].response_metadata["automix"]["route"] == "small"


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_an_escalated_answer_streams_token_by_token_and_once(make_agent: MakeAgent, sync: bool) -> None:
    scene = make_agent(**REJECTED, agent={"checkpointer": InMemorySaver()})
    parts = await captured(scene, "messages", sync=sync)
    chunks = [message for message, _ in parts if isinstance(message, AIMessage) and message.text]
    assert [chunk.text for chunk in chunks] == ["the", " LARGE", " answer"]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)


async def test_a_rejected_draft_does_not_leave_through_a_parent_graph(make_agent: MakeAgent) -> None:
    parent = StateGraph(MessagesState)
    parent.add_node("agent", make_agent(**REJECTED).agent)
    parent.add_edge(START, "agent")
    parent.add_edge("agent", END)
    parts = [part async for part in parent.compile().astream(QUESTION, stream_mode=MODES, subgraphs=True)]
    assert LARGE in repr(parts)
    assert "DRAFT" not in repr(parts)


async def test_progress_is_told(make_agent: MakeAgent) -> None:
    scene = make_agent(**REJECTED, agent={"checkpointer": InMemorySaver()})
    events = await captured(scene, "custom", sync=True)
    assert [event["event"] for event in events] == ["verified", "escalated"]
    assert [event["tier"] for event in events] == ["small", "large"]
    assert (events[0]["verdict"], events[0]["confidence"], events[0]["accept"]) == ("INCORRECT", 0.0, False)


async def test_usage_callbacks_see_every_call_and_streaming_loses_no_usage(make_agent: MakeAgent) -> None:
    usage = UsageMetadataCallbackHandler()
    scene = make_agent(**REJECTED)
    parts = list(scene.agent.stream(QUESTION, {"callbacks": [usage]}, stream_mode=["messages", "values"]))
    ledger = [state for mode, state in parts if mode == "values"][-1]["automix"]["usage"]
    assert ledger["calls_without_usage"] == 0
    assert set(usage.usage_metadata) == {"small-model", "judge-model", "large-model"}
    assert ledger["input_tokens"] == sum(tokens["input_tokens"] for tokens in usage.usage_metadata.values())


async def test_a_draft_that_calls_tools_is_streamed_once(make_agent: MakeAgent) -> None:
    scene = make_agent(agent={"checkpointer": InMemorySaver()})
    parts = await captured(scene, "messages", sync=True)
    calls = [call["name"] for message, _ in parts if isinstance(message, AIMessage) for call in message.tool_calls]
    assert calls == [SEARCHES.tool_calls[0][0]]
