"""Model calls within a function that verifies: charged, named, and not streamed."""

from __future__ import annotations

from typing import Any

import pytest
from function_scene import CASE, chain, graph_with
from langchain_core.callbacks import UsageMetadataCallbackHandler

from automix_graph.errors import ConfigurationError
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply
from automix_graph.verification.function import FunctionVerifier


@pytest.mark.parametrize("door", ["verify", "averify"])
@pytest.mark.parametrize("shape", ["chain", "function"])
async def test_model_calls_inside_are_charged(door: str, shape: str) -> None:
    model = ScriptedChatModel([ScriptedReply(text="80", usage=(30, 1)), ScriptedReply(text="80", usage=())], label="j")
    function: Any = chain(model) if shape == "chain" else lambda case: int(model.invoke("?").text) / 100
    verifier = FunctionVerifier(function=function)
    usage = UsageMetadataCallbackHandler()
    for tokens in (30, None):
        judgement = (
            verifier.verify(CASE, {"callbacks": [usage]})
            if door == "verify"
            else await verifier.averify(CASE, {"callbacks": [usage]})
        )
        assert judgement.verification.confidence == 0.8
        (call,) = judgement.calls
        assert (call.stage, call.model, call.usage.input_tokens, call.error) == ("verify", "j", tokens, None)
    assert usage.usage_metadata["j"]["input_tokens"] == 30  # the caller's own callbacks see the calls as well


@pytest.mark.parametrize("second", [TimeoutError("slow"), "no number"])
async def test_calls_before_a_failure_are_charged(second: Any) -> None:
    model = ScriptedChatModel(["90", second], label="j")

    def score(case: dict[str, Any]) -> float:
        model.invoke("once")
        return int(model.invoke("twice").text) / 100

    found = await FunctionVerifier(function=score).averify(CASE)
    assert found.verification.failure
    assert [call.error for call in found.calls] == [None, "TimeoutError" if isinstance(second, Exception) else None]


async def test_calls_before_an_unusable_score_travel_with_the_error() -> None:
    model = ScriptedChatModel(["170"], label="j")
    with pytest.raises(ConfigurationError, match=r"1\.7") as caught:
        FunctionVerifier(function=chain(model)).verify(CASE)
    assert [call.model for call in caught.value.calls] == ["j"]  # type: ignore[attr-defined]


def test_a_model_inside_has_the_label_of_a_tier() -> None:
    class Named(ScriptedChatModel):
        model_name: str = "gpt-x"

        @property
        def _llm_type(self) -> str:
            return "named"

    (call,) = FunctionVerifier(function=chain(Named(["50"], label="gpt-x-2026-01-01"))).verify(CASE).calls
    assert call.model == "named:gpt-x"
    local = Named(["50"])
    local.model_name = "local:judge"
    (call,) = FunctionVerifier(function=chain(local)).verify(CASE).calls
    assert call.model == "local:judge"


async def test_a_model_inside_is_on_the_bill_and_does_not_stream() -> None:
    graph = graph_with(chain(FunctionChatModel(lambda prompt: "80", label="judge")))
    result = graph.invoke({"question": "When?"})
    assert [(call["stage"], call["model"]) for call in result["usage"]["calls"]] == [
        ("small_answer", "small"),
        ("verify", "judge"),
    ]
    streamed = [message.text async for message, _ in graph.astream({"question": "When?"}, stream_mode="messages")]  # type: ignore[union-attr]
    assert "80" not in "".join(streamed)
