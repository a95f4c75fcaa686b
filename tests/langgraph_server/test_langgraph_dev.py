"""The graph behind a real LangGraph server: its API, `RemoteGraph`, MCP and A2A, with no way to other machines."""

import ast
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from dev_server import running, write_config
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph_sdk import get_client, get_sync_client
from scripted_answers import DRAFT, FOLLOW_UP, LARGE, SMALL_IN_CHINESE

from automix_graph import AutomixContext, FaissStore
from automix_graph.graph import AutomixInput, AutomixOutput
from automix_graph.testing import HashEmbeddings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        find_spec("langgraph_cli") is None or find_spec("langgraph_api") is None,
        reason="needs the server: pip install 'langgraph-cli[inmem]'",
    ),
]

EASY = {"question": "Is it easy?"}
HARD = {"question": "Is it hard?"}
MODES = ["values", "updates", "messages", "messages-tuple", "custom", "debug", "tasks", "checkpoints"]
PASSAGES = ["First passage.", "Second passage."]
ROUTES = pytest.mark.parametrize(
    ("asked", "answer", "route"), [(EASY, DRAFT, "small"), (HARD, LARGE, "large")], ids=["accepted", "escalated"]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    write_config(folder)
    with FaissStore.from_texts(PASSAGES, HashEmbeddings(), ids=["a", "b"]) as store:
        store.save(folder / "index")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    settings = {
        "AUTOMIX_INDEX": "index",
        "AUTOMIX_SMALL": "test:small",
        "AUTOMIX_LARGE": "test:large",
        "AUTOMIX_VERIFIER": "test:judge",
        "AUTOMIX_CONDENSE": "true",
    }
    with running(folder, settings) as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def remote(url: str) -> Iterator[RemoteGraph]:
    with get_sync_client(url=url) as client:
        yield RemoteGraph("automix", sync_client=client)


@pytest.fixture
def assistant(http: httpx.Client) -> str:
    (found,) = http.post("/assistants/search", json={}).json()
    return str(found["assistant_id"])


def call(http: httpx.Client, path: str, method: str, params: Any) -> httpx.Response:
    request = {"jsonrpc": "2.0", "id": "1", "method": method, "params": params}
    response = http.post(path, json=request, headers={"accept": "application/json, text/event-stream"})
    assert response.status_code == 200
    return response


def call_tool(http: httpx.Client, arguments: Any) -> httpx.Response:
    return call(http, "/mcp", "tools/call", {"name": "automix", "arguments": arguments})


def told(response: httpx.Response) -> tuple[str, str]:
    """Return answer and route of a tool's result, which the server writes as Python does."""
    (content,) = response.json()["result"]["content"]
    result = ast.literal_eval(content["text"])
    return result["answer"], result["route"]


def together(ask: Callable[[Any], Any], cases: Sequence[Any]) -> list[Any]:
    """Ask for all cases at once: an idle server looks for work twice a second."""
    with ThreadPoolExecutor(len(cases)) as pool:
        return list(pool.map(ask, cases))


def test_the_schemas_are_those_of_the_graph(http: httpx.Client, assistant: str) -> None:
    schemas = http.get(f"/assistants/{assistant}/schemas").json()
    fields = {name: set(schemas[name]["properties"]) for name in ("input_schema", "output_schema", "context_schema")}
    assert fields == {
        "input_schema": set(AutomixInput.__annotations__),
        "output_schema": set(AutomixOutput.__annotations__),
        "context_schema": set(AutomixContext.__dataclass_fields__),
    }


def test_the_drawing_has_the_nodes_of_the_graph(http: httpx.Client, assistant: str) -> None:
    nodes = [node["id"] for node in http.get(f"/assistants/{assistant}/graph").json()["nodes"]]
    assert sorted(nodes) == ["__end__", "__start__", "condense", "large_answer", "retrieve", "small_answer", "verify"]


def test_a_remote_graph_answers(remote: RemoteGraph) -> None:
    accepted, escalated = (dict(result) for result in remote.batch([EASY, HARD]))
    assert (accepted["answer"], accepted["route"], accepted["verdict"]) == (DRAFT, "small", "CORRECT")
    assert (escalated["answer"], escalated["route"], escalated["verdict"]) == (LARGE, "large", "INCORRECT")
    for result in (accepted, escalated):
        assert set(result) == set(AutomixOutput.__annotations__)
        assert [message["content"] for message in result["messages"]] == [result["answer"]]
        assert {document["page_content"] for document in result["documents"]} == set(PASSAGES)
        calls = ["small_answer", "verify", *(["large_answer"] if result is escalated else [])]
        assert [call["stage"] for call in result["usage"]["calls"]] == calls


@ROUTES
async def test_a_remote_graph_streams_the_committed_answer(url: str, asked: Any, answer: str, route: str) -> None:
    async with get_client(url=url) as client:
        graph = RemoteGraph("automix", client=client)
        parts = [part async for part in graph.astream(asked, stream_mode=["messages", "custom", "updates", "values"])]
    of = {name: [part[1] for part in parts if part[0] == name] for name in ("messages", "custom", "updates", "values")}
    assert "".join(message["content"] for message, _ in of["messages"]) == answer
    steps = ["retrieved", "drafted", "verified", *(["escalated"] if route == "large" else []), "answer"]
    assert [event["event"] for event in of["custom"]] == steps
    assert of["values"][-1]["answer"] == answer
    assert [name for update in of["updates"] for name, written in update.items() if written] == [
        "large_answer" if route == "large" else "verify"
    ]


@pytest.mark.parametrize("modes", [MODES, ["events"]], ids=["modes", "events"])
def test_no_byte_of_a_stream_shows_a_rejected_draft(http: httpx.Client, modes: list[str]) -> None:
    def streamed(asked: Any) -> bytes:
        body = {"assistant_id": "automix", "input": asked, "stream_mode": modes, "stream_subgraphs": True}
        return http.post("/runs/stream", json=body).content

    rejected, accepted = together(streamed, [HARD, EASY])
    assert LARGE.encode() in rejected
    assert b"DRAFT" not in rejected
    assert b"event: error" not in rejected
    assert DRAFT.encode() in accepted


@pytest.mark.parametrize("way", ["context", "configurable"])
def test_settings_of_one_call_arrive(remote: RemoteGraph, way: str) -> None:
    def ask(case: tuple[Any, Any]) -> Any:
        asked, settings = case
        return remote.invoke(asked, context=settings) if way == "context" else remote.invoke(asked, {way: settings})

    kept, in_chinese = together(ask, [(HARD, {"threshold": 0.0}), (EASY, {"language": "zh"})])
    assert (kept["route"], kept["verdict"]) == ("small", "INCORRECT")
    assert in_chinese["answer"] == SMALL_IN_CHINESE


def test_a_setting_that_cannot_be_used_is_refused(remote: RemoteGraph) -> None:
    with pytest.raises(RemoteException, match=r"threshold is 7; use a confidence in \[0, 1\]"):
        remote.invoke(EASY, context={"threshold": 7})


def test_a_thread_is_a_conversation(http: httpx.Client) -> None:
    thread = http.post("/threads", json={}).json()["thread_id"]

    def say(text: str) -> Any:
        body = {"assistant_id": "automix", "input": {"messages": [{"role": "user", "content": text}]}}
        return http.post(f"/threads/{thread}/runs/wait", json=body).json()

    assert say("Is it easy?")["route"] == "small"
    second = say(FOLLOW_UP)
    assert [message["content"] for message in second["messages"]] == ["Is it easy?", DRAFT, FOLLOW_UP, LARGE]
    assert second["usage"]["calls"][0]["stage"] == "condense"


def test_what_a_thread_keeps_shows_no_rejected_draft(http: httpx.Client) -> None:
    thread = http.post("/threads", json={}).json()["thread_id"]
    http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "automix", "input": HARD})
    for path in ("state", "history"):
        kept = http.get(f"/threads/{thread}/{path}").content
        assert LARGE.encode() in kept
        assert b"DRAFT" not in kept


def test_mcp_lists_the_graph_as_a_tool(http: httpx.Client) -> None:
    (tool,) = call(http, "/mcp", "tools/list", {}).json()["result"]["tools"]
    assert tool["name"] == "automix"
    assert tool["description"].startswith("Answers a question from the indexed documents")
    assert set(tool["inputSchema"]["properties"]) == {"question", "messages"}


def test_mcp_calls_the_tool(http: httpx.Client) -> None:
    accepted, escalated = together(lambda asked: call_tool(http, asked), [EASY, HARD])
    assert told(accepted) == (DRAFT, "small")
    assert told(escalated) == (LARGE, "large")
    assert b"DRAFT" not in escalated.content


def test_mcp_calls_the_tool_with_a_message(http: httpx.Client) -> None:
    # The server shows messages to MCP clients as one text, "The user message to send to the agent".
    assert told(call_tool(http, {"messages": EASY["question"]})) == (DRAFT, "small")


def test_mcp_tells_of_a_call_without_a_question(http: httpx.Client) -> None:
    assert call_tool(http, {}).json()["result"]["isError"] is True


@pytest.mark.parametrize("method", ["message/send", "message/stream"])
def test_a2a_answers(http: httpx.Client, assistant: str, method: str) -> None:
    def send(asked: Any) -> bytes:
        message = {"role": "user", "messageId": "1", "parts": [{"kind": "text", "text": asked["question"]}]}
        return call(http, f"/a2a/{assistant}", method, {"message": message}).content

    accepted, escalated = together(send, [EASY, HARD])
    assert DRAFT.encode() in accepted
    assert LARGE.encode() in escalated
    assert b"DRAFT" not in escalated
    assert b'"completed"' in accepted
    assert b'"completed"' in escalated


def test_nothing_blocks_the_loop_of_the_server(remote: RemoteGraph, folder: Path) -> None:
    remote.invoke(HARD)
    assert "blocking call" not in (folder / "server.log").read_text(encoding="utf-8").lower()
