"""What counts as a draft: rules that no scripted run reaches, or that hold for every reply."""

from typing import Any

import pytest
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from automix_graph.agents.evidence import passages_of, question_of
from automix_graph.agents.replies import ask_model
from automix_graph.agents.report import AutoMixStep, added, reported
from automix_graph.costs import bill_of, summarise
from automix_graph.costs.prices import Prices
from automix_graph.models.calling import NamedModel
from automix_graph.records import Call, Usage
from automix_graph.testing import ScriptedChatModel

MODEL = NamedModel(label="m", model=ScriptedChatModel([]))
CALL = {"name": "search", "args": {"query": "x"}, "id": "1"}
UNREADABLE = {"name": "search", "args": "{", "id": "2", "error": "no JSON"}


class Opening(BaseModel):
    """When something was opened."""

    year: int


def request(*messages: BaseMessage, response_format: Any = None) -> ModelRequest[Any]:
    return ModelRequest(model=MODEL.model, messages=list(messages), response_format=response_format)


@pytest.mark.parametrize(
    ("result", "structured", "kind", "error"),
    [
        ([AIMessage("yes")], None, "answer", None),
        ([AIMessage(" \n")], None, "nothing", "empty answer"),
        ([AIMessage([{"type": "image", "base64": "x"}])], None, "nothing", "empty answer"),
        ([], None, "nothing", "empty answer"),
        ([AIMessage("", tool_calls=[CALL])], None, "tools", None),
        ([AIMessage("so", tool_calls=[CALL], invalid_tool_calls=[UNREADABLE])], None, "tools", None),
        ([AIMessage("so", invalid_tool_calls=[UNREADABLE])], None, "garbled", "unreadable tool call"),
        ([AIMessage('{"a": 1}')], {"a": 1}, "answer", None),
        ([AIMessage("", tool_calls=[CALL]), ToolMessage("ok", tool_call_id="1")], {"query": "x"}, "answer", None),
        (
            [AIMessage("", tool_calls=[CALL]), ToolMessage("wrong", tool_call_id="1")],
            None,
            "misfit",
            "answer outside the response format",
        ),
        (
            [AIMessage("", tool_calls=[CALL, {**CALL, "id": "9"}]), ToolMessage("ok", tool_call_id="1")],
            {"query": "x"},
            "tools",
            None,
        ),
    ],
)
def test_what_a_reply_is(result: list[BaseMessage], structured: Any, kind: str, error: str | None) -> None:
    response = ModelResponse(result=result, structured_response=structured)
    reply = ask_model(MODEL, request(), lambda asked: response, stage="small_answer")
    assert (reply.kind, reply.attempt.call.error) == (kind, error)
    assert reply.response is response


def test_what_is_judged_of_a_structured_answer() -> None:
    text = ModelResponse(result=[AIMessage('{"year": 1974}')], structured_response=Opening(year=1974))
    assert ask_model(MODEL, request(), lambda asked: text, stage="small_answer").answer == '{"year": 1974}'
    tool = ModelResponse(
        result=[
            AIMessage("Here.", tool_calls=[{"name": "Opening", "args": {"where": "天文台"}, "id": "1"}]),
            ToolMessage("ok", tool_call_id="1"),
        ],
        structured_response=Opening(year=1974),
    )
    assert ask_model(MODEL, request(), lambda asked: tool, stage="small_answer").answer == '{"where": "天文台"}'


def test_the_question_is_the_last_human_message() -> None:
    assert question_of([HumanMessage("a"), AIMessage("b"), HumanMessage("c"), AIMessage("d")]) == "c"
    assert question_of([HumanMessage([{"type": "text", "text": "in blocks"}])]) == "in blocks"
    assert question_of([AIMessage("b")]) is None
    assert question_of([HumanMessage("a"), HumanMessage(" ")]) is None


def test_the_passages_are_what_the_model_sees_of_the_tools() -> None:
    passages = passages_of(
        request(
            ToolMessage("first", tool_call_id="1", name="search", artifact=["unseen"]),
            HumanMessage("question"),
            ToolMessage([{"type": "text", "text": "second"}], tool_call_id="2"),
            ToolMessage("failed", tool_call_id="3", status="error"),
            ToolMessage(" ", tool_call_id="4"),
            ToolMessage("lone \ud800", tool_call_id="5", name="Opening"),
            response_format=ProviderStrategy(Opening),  # has no tool, so another tool may have the name
        )
    )
    assert [(passage.id, passage.text, passage.metadata["tool"]) for passage in passages] == [
        ("1", "first", "search"),
        ("2", "second", "unnamed"),
        ("5", "lone \ufffd", "Opening"),
    ]


def ledger(*, tokens: int | None, price: float | None) -> dict[str, Any]:
    prices = Prices(None if price is None else {"m": (price, price)})
    usage = Usage(input_tokens=tokens, output_tokens=tokens)
    calls = prices.charge([Call(stage="large_answer", model="m", usage=usage, seconds=0.5)])
    return summarise(calls, bill_of(calls, large="m", prices=prices))


def test_every_entry_of_a_ledger_is_added() -> None:
    known, unknown = ledger(tokens=10, price=1.0), ledger(tokens=None, price=1.0)
    total = added(known, known)
    assert set(total) == set(known)
    assert (total["input_tokens"], total["seconds"], len(total["calls"])) == (20, 1.0, 2)
    assert total["always_large_cost"] == pytest.approx(40e-6)
    assert total["always_large_estimated"] is False
    total = added(known, unknown)
    assert (total["always_large_cost"], total["saved"]) == (None, None)
    assert total["calls_without_usage"] == 1
    assert total["cost_at_least"] == pytest.approx(20e-6)


def test_an_estimate_in_any_step_makes_the_sum_an_estimate() -> None:
    assert added({"estimated": False}, {"estimated": True}) == {"estimated": True}


def test_a_report_does_not_change_the_one_before() -> None:
    step = AutoMixStep(route="small", verdict=None, confidence=None, reason="r", degraded=False, cost=1.0)
    first = reported(None, step, {"calls": ["a"]})
    second = reported(first, {**step, "cost": None}, {"calls": ["b"]})
    assert (len(first["steps"]), first["usage"]) == (1, {"calls": ["a"]})
    assert (len(second["steps"]), second["cost"], second["usage"]) == (2, None, {"calls": ["a", "b"]})
