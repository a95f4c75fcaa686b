"""Drafts of agents with a response format."""

from __future__ import annotations

from typing import Any

import pytest
from agent_scene import JUDGED_WRONG, PRICES, QUESTION, SEARCHES, MakeAgent, Opening, opening
from langchain.agents.structured_output import AutoStrategy, ToolStrategy
from langchain_core.messages import AIMessage, ToolMessage


def test_a_structured_draft_is_judged_by_its_values(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[SEARCHES, opening(1974)], agent={"response_format": ToolStrategy(Opening)})
    state = scene.agent.invoke(QUESTION)
    assert state["structured_response"] == Opening(year=1974)
    assert state["automix"]["route"] == "small"
    assert '{"year": 1974}' in scene.judge.prompt_texts[0]


def test_a_rejected_structured_draft_is_not_in_the_state(make_agent: MakeAgent) -> None:
    scene = make_agent(
        small=[SEARCHES, opening(1066)], judge=JUDGED_WRONG, large=[opening(1974)], agent={"response_format": Opening}
    )
    state = scene.agent.invoke(QUESTION)
    assert state["structured_response"] == Opening(year=1974)
    assert "1066" not in repr(state)


@pytest.mark.parametrize("handled", [True, False])
def test_a_draft_outside_the_format_escalates_and_is_charged(make_agent: MakeAgent, handled: bool) -> None:
    scene = make_agent(
        small=[SEARCHES, opening("DRAFT")],
        judge=[],
        large=[opening(1974)],
        prices=PRICES,
        agent={"response_format": ToolStrategy(Opening, handle_errors=handled)},
    )
    state = scene.agent.invoke(QUESTION)
    assert state["structured_response"] == Opening(year=1974)
    assert state["automix"]["reason"] == "no judgement: the small model gave no answer"
    call = state["automix"]["usage"]["calls"][1]
    assert call["error"] == ("answer outside the response format" if handled else "StructuredOutputValidationError")
    assert (call["input_tokens"], call["output_tokens"]) == (100, 10)
    assert "DRAFT" not in repr(state)


@pytest.mark.parametrize("response_format", [ToolStrategy(Opening), AutoStrategy(Opening), Opening])
def test_an_earlier_structured_answer_is_no_evidence(make_agent: MakeAgent, response_format: Any) -> None:
    scene = make_agent(
        small=[opening(1974)], judge=[], large=[opening(1975)], agent={"response_format": response_format}
    )
    earlier = [
        AIMessage("", tool_calls=[{"name": "Opening", "args": {"year": 1974}, "id": "1"}]),
        ToolMessage("Returning structured response: year=1974", tool_call_id="1", name="Opening"),
        ("user", "Are you sure?"),
    ]
    state = scene.agent.invoke({"messages": earlier})
    assert state["automix"]["reason"] == "no judgement: there are no results of tools to judge the answer by"
