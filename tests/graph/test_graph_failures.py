"""Models, verifiers and policies that fail in a graph: what is raised, what escalates, and what nobody is told."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt
from scene import DOWN, DRAFT, LARGE, PASSAGES, QUESTION, MakeScene

from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.graph import build_automix, create_automix
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Case, Judgement


def test_a_failing_large_model_raises_where_the_caller_wants_it(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[DOWN], on_large_failure="raise")
    with pytest.raises(ModelCallError, match="large-model failed in large_answer: ConnectionError") as raised:
        scene.graph.invoke(QUESTION)
    assert raised.value.retryable
    assert raised.value.__cause__ is DOWN


def test_without_any_answer_the_failure_is_raised(make_scene: MakeScene) -> None:
    with pytest.raises(ModelCallError, match="large_answer"):
        make_scene(small=[DOWN], judge=[], large=[DOWN]).graph.invoke(QUESTION)


def test_a_mistake_in_code_is_no_failed_model(make_scene: MakeScene) -> None:
    with pytest.raises(NameError, match="bug"):
        make_scene(small=[NameError("bug")], judge=[]).graph.invoke(QUESTION)


def test_a_failure_does_not_tell_what_the_provider_said(make_scene: MakeScene) -> None:
    echo = ValueError(f"Invalid output: {DRAFT}")
    parts = list(make_scene(judge=[echo], large=[LARGE]).graph.stream(QUESTION, stream_mode=["values", "custom"]))
    assert DRAFT not in repr(parts)
    assert "ValueError" in repr(parts)


class Unwell:
    """A verifier that raises."""

    method = "unwell"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def verify(self, case: Case, config: object = None) -> Judgement:
        raise self._error

    async def averify(self, case: Case, config: object = None) -> Judgement:
        raise self._error


async def test_a_verifier_that_raises_is_no_judgement() -> None:
    for door in ("invoke", "ainvoke"):
        graph = create_automix(
            small=ScriptedChatModel([DRAFT]),
            large=ScriptedChatModel([LARGE]),
            retriever=StaticRetriever(PASSAGES),
            verifier=Unwell(ConnectionError("down")),
        )
        result = graph.invoke(QUESTION) if door == "invoke" else await graph.ainvoke(QUESTION)
        assert (result["answer"], result["verdict"]) == (LARGE, "UNPARSED")


class Careless:
    """A verifier and a policy that return what they should not."""

    method = name = "careless"

    def verify(self, case: Case, config: object = None) -> Any:
        return True

    async def averify(self, case: Case, config: object = None) -> Any:
        return True

    def decide(self, history: object) -> Any:
        return True


@pytest.mark.parametrize(("part", "wanted"), [("verifier", "Judgement"), ("policy", "Decision")])
def test_a_part_that_returns_something_else_is_told_so(part: str, wanted: str) -> None:
    arguments: dict[str, Any] = {
        "small": ScriptedChatModel([DRAFT]),
        "large": ScriptedChatModel(["Correct"]),
        "retriever": StaticRetriever(PASSAGES),
        part: Careless(),
    }
    with pytest.raises(ConfigurationError, match=f"must return a {wanted}"):
        create_automix(**arguments).invoke(QUESTION)


def test_what_pauses_a_graph_is_no_failure() -> None:
    graph = build_automix(
        small=FunctionChatModel(lambda prompt: str(interrupt("May I?"))),
        large=ScriptedChatModel([]),
        retriever=StaticRetriever(PASSAGES),
    ).compile(checkpointer=InMemorySaver())
    result = graph.invoke(QUESTION, {"configurable": {"thread_id": "1"}})
    assert [pause.value for pause in result["__interrupt__"]] == ["May I?"]


def test_a_reply_that_was_cut_off_is_no_judgement(make_scene: MakeScene) -> None:
    cut = ScriptedReply(text="The AI generated answer is correct", finish_reason="length")
    assert make_scene(judge=[cut], large=[LARGE]).graph.invoke(QUESTION)["answer"] == LARGE
