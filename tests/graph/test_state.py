import json
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, LARGE, QUESTION, MakeScene

from automix_graph.graph import build_automix
from automix_graph.records import Record
from automix_graph.testing import ScriptedChatModel, StaticRetriever

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def threaded(small: list[Any], large: list[Any]) -> Any:
    return build_automix(
        small=ScriptedChatModel(small, label="s"),
        large=ScriptedChatModel(large, label="l"),
        retriever=StaticRetriever(["text"]),
    ).compile(checkpointer=InMemorySaver())


def test_nothing_of_the_last_question_leaks_into_the_next() -> None:
    graph = threaded([DRAFT, ConnectionError("down")], ["Correct", LARGE])
    first = graph.invoke({"question": "first?"}, CONFIG)
    second = graph.invoke({"question": "second?"}, CONFIG)
    assert (first["route"], first["verdict"], first["confidence"]) == ("small", "CORRECT", 1.0)
    assert (second["route"], second["verdict"], second["confidence"]) == ("large", "UNPARSED", None)
    assert [call["stage"] for call in second["usage"]["calls"]] == ["small_answer", "large_answer"]
    state = graph.get_state(CONFIG).values
    assert DRAFT not in repr(state)
    assert DRAFT not in Record.unseal(state["record"]).to_json()


def test_a_question_that_fails_leaves_nothing_of_the_last_answer() -> None:
    graph = threaded([DRAFT, ConnectionError("down")], ["Correct", ConnectionError("down")])
    graph.invoke({"question": "first?"}, CONFIG)
    with pytest.raises(Exception, match="large_answer"):
        graph.invoke({"question": "second?"}, CONFIG)
    state = graph.get_state(CONFIG).values
    assert "answer" not in state
    assert DRAFT not in repr(state)


def test_a_new_question_shows_nothing_of_the_last_one_from_the_start() -> None:
    graph = threaded([DRAFT, "second answer"], ["Correct", "Correct"])
    graph.invoke({"question": "first?"}, CONFIG)
    assert graph.get_state(CONFIG).values["answer"] == DRAFT
    parts = list(graph.stream({"question": "second?"}, CONFIG, stream_mode=["values", "updates"]))
    assert "second answer" in repr(parts)
    assert DRAFT not in repr(parts)
    assert "first?" not in repr(parts[1:])


def test_state_is_plain_data(make_scene: MakeScene) -> None:
    *_, state = make_scene(judge=["Incorrect"], large=[LARGE]).graph.stream(QUESTION, stream_mode="values")
    plain = {key: value for key, value in state.items() if key not in {"documents", "messages"}}
    assert json.loads(json.dumps(plain)) == plain


def test_a_crash_between_nodes_is_resumed_without_paying_twice() -> None:
    small = ScriptedChatModel([DRAFT], label="s")
    large = ScriptedChatModel(["Incorrect", ConnectionError("down"), LARGE], label="l")
    graph = build_automix(
        small=small, large=large, retriever=StaticRetriever(["text"]), on_large_failure="raise"
    ).compile(checkpointer=InMemorySaver())
    with pytest.raises(Exception, match="large_answer"):
        graph.invoke(QUESTION, CONFIG)
    assert graph.invoke(None, CONFIG)["answer"] == LARGE
    small.assert_consumed()
    large.assert_consumed()
