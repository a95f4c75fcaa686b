"""An answer that was known as a whole is streamed in pieces all the same, and nobody is charged for that."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk
from scene import DRAFT, LARGE, QUESTION, MakeScene

from automix_graph.graph.replay import pieces_of
from automix_graph.testing import ScriptedReply


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces_of(text)) == text
    assert all(pieces_of(text))


def test_text_without_spaces_is_cut_too() -> None:
    assert [len(piece) for piece in pieces_of("汉" * 40)] == [16, 16, 8]


async def test_an_accepted_answer_streams_in_pieces(make_scene: MakeScene) -> None:
    parts = list(make_scene().graph.stream(QUESTION, stream_mode="messages"))
    assert [message.text for message, _ in parts if message.text] == ["the", " DRAFT", " answer"]
    assert all(isinstance(message, AIMessageChunk) for message, _ in parts)
    assert {metadata["langgraph_node"] for _, metadata in parts} == {"verify"}
    parts = [part async for part in make_scene().graph.astream(QUESTION, stream_mode="messages")]
    assert [message.text for message, _ in parts if message.text] == ["the", " DRAFT", " answer"]


async def test_events_carry_its_tokens(make_scene: MakeScene) -> None:
    events = [event async for event in make_scene().graph.astream_events(QUESTION, version="v2")]
    tokens = [event["data"]["chunk"].text for event in events if event["event"] == "on_chat_model_stream"]
    assert "".join(tokens) == DRAFT


def test_a_degraded_answer_streams_behind_what_failed(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[ConnectionError("down")])
    parts = list(scene.graph.stream(QUESTION, stream_mode="messages"))
    assert [message.text for message, _ in parts if message.text] == ["the", " DRAFT", " answer"]


class Tracer(BaseCallbackHandler):
    def __init__(self) -> None:
        self.models: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.models.append(str(kwargs["metadata"]["langgraph_node"]))


@pytest.mark.parametrize("mode", ["messages", "values"])
def test_tracers_and_usage_see_no_model_that_was_not_asked(make_scene: MakeScene, mode: str) -> None:
    tracer, usage = Tracer(), UsageMetadataCallbackHandler()
    scene = make_scene(
        small=[ScriptedReply(text=DRAFT, usage=(7, 3))], judge=[ScriptedReply(text="Correct", usage=(9, 1))]
    )
    list(scene.graph.stream(QUESTION, {"callbacks": [tracer, usage]}, stream_mode=mode))
    assert tracer.models == ["small_answer", "verify"]
    assert {name: tokens["total_tokens"] for name, tokens in usage.usage_metadata.items()} == {
        "small-model": 10,
        "judge-model": 10,
    }


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol:langchain_core._api.beta_decorator.LangChainBetaWarning")
@pytest.mark.parametrize(("script", "answer"), [({}, DRAFT), ({"judge": ["Incorrect"], "large": [LARGE]}, LARGE)])
async def test_the_third_streaming_protocol_carries_the_committed_answer_once(
    make_scene: MakeScene, script: dict[str, Any], answer: str
) -> None:
    run = make_scene(**script).graph.stream_events(QUESTION, version="v3")
    assert ["".join(message.text) for message in run.messages] == [answer]
    assert run.output["answer"] == answer
    assert answer == DRAFT or DRAFT not in repr(run.output)
