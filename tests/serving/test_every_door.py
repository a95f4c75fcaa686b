"""Every door, whatever happens behind it: the same text, the same ledger, and no byte of a rejected draft."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.graph import START, StateGraph
from served import DRAFT, LARGE, chat, make_graph
from starlette.testclient import TestClient
from typing_extensions import TypedDict

from automix_graph.agents import create_automix_tool
from automix_graph.graph.build import CompiledGraph
from automix_graph.serving import create_app
from automix_graph.testing import ScriptedReply
from automix_graph.testing.chat_models import Reply

QUESTION = {"question": "What is it?"}


def says(text: str) -> Callable[[str], Reply]:
    return lambda _: ScriptedReply(text=text, usage=(10, 2))


def fails(_: str) -> Reply:
    return ConnectionError("the provider's own words")


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "accepted": ({"judge": says("Correct")}, DRAFT, "small"),
    "escalated": ({"judge": says("Incorrect")}, LARGE, "large"),
    "unparsed verdict": ({"judge": says("Perhaps.")}, LARGE, "large"),
    "small fails": ({"small": fails}, LARGE, "large"),
    "verifier fails": ({"judge": fails}, LARGE, "large"),
    "large fails": ({"judge": says("Incorrect"), "large": fails}, DRAFT, "small"),
}
"""The models that are not as usual, the committed answer, and its route."""

LEDGER = {
    "accepted": [("small_answer", 12), ("verify", 12)],
    "escalated": [("small_answer", 12), ("verify", 12), ("large_answer", 12)],
    "unparsed verdict": [("small_answer", 12), ("verify", 12), ("large_answer", 12)],
    "small fails": [("small_answer", None), ("large_answer", 12)],
    "verifier fails": [("small_answer", 12), ("verify", None), ("large_answer", 12)],
    "large fails": [("small_answer", 12), ("verify", 12), ("large_answer", None)],
}
"""The calls, with their tokens."""


class Watching(BaseCallbackHandler):
    """Keeps the ledger of the run, as those who trace it see it."""

    usage: dict[str, Any] | None = None

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        if isinstance(outputs, dict) and "usage" in outputs:
            self.usage = outputs["usage"]


Seen = tuple[str, dict[str, Any] | None, Any]
"""The text that a caller gets, the ledger, and all that was received."""
Door = Callable[[CompiledGraph], Awaitable[Seen]]


async def invoke(graph: CompiledGraph) -> Seen:
    result = graph.invoke(QUESTION)
    return result["answer"], result["usage"], result


async def ainvoke(graph: CompiledGraph) -> Seen:
    result = await graph.ainvoke(QUESTION)
    return result["messages"][-1].text, result["usage"], result


async def batch(graph: CompiledGraph) -> Seen:
    (result,) = graph.batch([QUESTION])
    return result["answer"], result["usage"], result


async def values(graph: CompiledGraph) -> Seen:
    parts = list(graph.stream(QUESTION, stream_mode="values"))
    return parts[-1]["answer"], parts[-1]["usage"], parts


async def updates(graph: CompiledGraph) -> Seen:
    parts = [part async for part in graph.astream(QUESTION, stream_mode="updates")]
    last = next(iter(parts[-1].values()))
    return last["answer"], last["usage"], parts


async def messages(graph: CompiledGraph) -> Seen:
    watching = Watching()
    stream = graph.astream(QUESTION, {"callbacks": [watching]}, stream_mode="messages")
    parts = [part async for part in stream]
    return "".join(str(message.text) for message, _ in parts), watching.usage, parts


async def custom(graph: CompiledGraph) -> Seen:
    watching = Watching()
    parts = list(graph.stream(QUESTION, {"callbacks": [watching]}, stream_mode="custom"))
    return parts[-1]["answer"], watching.usage, parts


async def parts_of_version_two(graph: CompiledGraph) -> Seen:
    parts = [part async for part in graph.astream(QUESTION, stream_mode=["values", "messages"], version="v2")]
    last = next(part["data"] for part in reversed(parts) if part["type"] == "values")
    return last["answer"], last["usage"], parts


async def events(graph: CompiledGraph) -> Seen:
    found = [event async for event in graph.astream_events(QUESTION, version="v2")]
    text = "".join(event["data"]["chunk"].text for event in found if event["event"] == "on_chat_model_stream")
    return text, found[-1]["data"]["output"]["usage"], found


async def events_of_version_three(graph: CompiledGraph) -> Seen:
    run = graph.stream_events(QUESTION, version="v3")
    text = "".join("".join(message.text) for message in run.messages)
    return text, run.output["usage"], run.output


async def pipe(graph: CompiledGraph) -> Seen:
    piped = (lambda text: {"question": text}) | graph | (lambda result: (result["answer"], result["usage"]))
    (found,) = [part async for part in piped.astream("What is it?")]
    return found[0], found[1], found


class Ticket(TypedDict):
    question: str
    answer: str
    usage: dict[str, Any]


async def node(graph: CompiledGraph) -> Seen:
    parent = StateGraph(Ticket)
    parent.add_node("automix", graph)
    parent.add_edge(START, "automix")
    stream = parent.compile().astream(QUESTION, stream_mode=["values", "messages", "updates"], subgraphs=True)
    parts = [part async for part in stream]
    last = next(part for namespace, mode, part in reversed(parts) if mode == "values" and not namespace)
    return last["answer"], last["usage"], parts


async def tool(graph: CompiledGraph) -> Seen:
    call = {"name": "ask_documents", "args": QUESTION, "id": "1", "type": "tool_call"}
    message = await create_automix_tool(graph).ainvoke(call)
    assert message.artifact["answer"] in message.content
    return message.artifact["answer"], message.artifact["usage"], message


def lines_of(body: str) -> list[Any]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]


async def completion(graph: CompiledGraph) -> Seen:
    with TestClient(create_app(graph)) as client:
        response = client.post("/v1/chat/completions", json=chat("What is it?"))
    return response.json()["choices"][0]["message"]["content"], None, response.text


async def streamed_completion(graph: CompiledGraph) -> Seen:
    with TestClient(create_app(graph)) as client:
        response = client.post("/v1/chat/completions", json=chat("What is it?", stream=True))
    choices = [choice for chunk in lines_of(response.text) for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices), None, response.text


async def page(graph: CompiledGraph) -> Seen:
    with TestClient(create_app(graph)) as client:
        response = client.post("/ask", json=QUESTION)
    found = lines_of(response.text)
    outcome = next(one for one in found if "usage" in one)
    return "".join(one["text"] for one in found if set(one) == {"text"}), outcome["usage"], response.text


async def langserve_invoke(graph: CompiledGraph) -> Seen:
    with TestClient(create_app(graph)) as client:
        response = client.post("/automix/invoke", json={"input": QUESTION})
    output = response.json()["output"]
    return output["answer"], output["usage"], response.text


async def langserve_stream(graph: CompiledGraph) -> Seen:
    with TestClient(create_app(graph)) as client:
        response = client.post("/automix/stream", json={"input": QUESTION})
    found = lines_of(response.text)
    usage = next(one["usage"] for one in reversed(found) if "usage" in one)
    return "".join(one.get("answer") or "" for one in found), usage, response.text


DOORS: list[Door] = [
    invoke,
    ainvoke,
    batch,
    values,
    updates,
    messages,
    custom,
    parts_of_version_two,
    events,
    events_of_version_three,
    pipe,
    node,
    tool,
    completion,
    streamed_completion,
    page,
    langserve_invoke,
    langserve_stream,
]


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")  # LangServe's own
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_the_text_and_the_ledger_are_the_same(door: Door, case: str) -> None:
    models, answer, route = CASES[case]
    usual = {"small": says(DRAFT), "judge": says("Correct"), "large": says(LARGE)}
    text, usage, received = await door(make_graph(**{**usual, **models}))
    assert text == answer
    if usage is not None:
        tokens = [
            (call["stage"], None if call["input_tokens"] is None else call["input_tokens"] + call["output_tokens"])
            for call in usage["calls"]
        ]
        assert tokens == LEDGER[case]
    seen = repr(received)
    if route == "large":
        assert "DRAFT" not in seen
    assert "own words" not in seen
