"""The report of a run: its ledger, its steps and its costs."""

from __future__ import annotations

from typing import Any

import pytest
from agent_scene import (
    DRAFT,
    DRAFT_COST,
    JUDGE_COST,
    JUDGED_WRONG,
    LARGE_COST,
    PRICES,
    QUESTION,
    SEARCH_COST,
    SEARCHES,
    WRITES_LARGE,
    MakeAgent,
    says,
)
from langgraph.checkpoint.memory import InMemorySaver


def test_the_ledger_adds_up_over_the_run(make_agent: MakeAgent) -> None:
    state = make_agent(judge=JUDGED_WRONG, large=WRITES_LARGE, prices=PRICES).agent.invoke(QUESTION)
    report, usage = state["automix"], state["automix"]["usage"]
    assert usage["input_tokens"] == 20 + 100 + 120 + 200
    assert usage["output_tokens"] == 5 + 10 + 1 + 20
    assert [call["model"] for call in usage["calls"]] == ["small-model", "small-model", "judge-model", "large-model"]
    assert usage["seconds"] == pytest.approx(sum(call["seconds"] for call in usage["calls"]))
    # Always large: it would have searched (estimated from the draft's tokens), and it did answer.
    always_large = (20 * 10 + 5 * 40) / 1e6 + LARGE_COST
    assert usage["cost_at_least"] == pytest.approx(report["cost"])
    assert usage["always_large_cost"] == pytest.approx(always_large)
    assert usage["always_large_estimated"] is True
    assert usage["saved"] == pytest.approx(always_large - report["cost"])
    assert [step["verdict"] for step in report["steps"]] == [None, "INCORRECT"]
    assert [step["cost"] for step in report["steps"]] == [
        pytest.approx(SEARCH_COST),
        pytest.approx(DRAFT_COST + JUDGE_COST + LARGE_COST),
    ]
    assert report["steps"][0]["reason"] == "the draft calls tools"


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_run_starts_with_a_new_report(make_agent: MakeAgent, sync: bool) -> None:
    scene = make_agent(
        small=[SEARCHES, says(DRAFT), says("again")],
        judge=[says("Correct"), says("Correct")],
        agent={"checkpointer": InMemorySaver()},
    )
    config = {"configurable": {"thread_id": "1"}}
    scene.agent.invoke(QUESTION, config)
    second: Any = {"messages": [("user", "And where?")]}
    state = scene.agent.invoke(second, config) if sync else await scene.agent.ainvoke(second, config)
    assert len(state["messages"]) == 6
    assert len(state["automix"]["steps"]) == 1
    assert [call["stage"] for call in state["automix"]["usage"]["calls"]] == ["small_answer", "verify"]


def test_the_report_is_for_reading_only(make_agent: MakeAgent) -> None:
    scene = make_agent()
    state = scene.agent.invoke({**QUESTION, "automix": {"cost": -1, "steps": [], "usage": {}}})
    assert len(state["automix"]["steps"]) == 2
    assert set(scene.agent.get_input_jsonschema()["properties"]) == {"messages"}
    assert set(scene.agent.get_output_jsonschema()["properties"]) >= {"messages", "automix"}


def test_an_unknown_price_makes_the_cost_of_the_run_unknown(make_agent: MakeAgent) -> None:
    prices = {label: price for label, price in PRICES.items() if label != "judge-model"}
    report = make_agent(prices=prices).agent.invoke(QUESTION)["automix"]
    assert report["cost"] is None
    assert report["usage"]["cost_at_least"] == pytest.approx(SEARCH_COST + DRAFT_COST)
    assert [step["cost"] for step in report["steps"]] == [pytest.approx(SEARCH_COST), None]


def test_a_judge_of_the_large_model_does_not_make_it_look_cheaper(make_agent: MakeAgent) -> None:
    scene = make_agent(judge=[], large=[says("Correct", 30, 1)], verifier=None, prices={"large-model": (10.0, 40.0)})
    usage = scene.agent.invoke(QUESTION)["automix"]["usage"]
    # What the drafts read and wrote, at the large model's prices, though its judge read only 30 tokens.
    assert usage["always_large_cost"] == pytest.approx(((20 + 100) * 10 + (5 + 10) * 40) / 1e6)
