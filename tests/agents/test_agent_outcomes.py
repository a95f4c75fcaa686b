"""How a run of an agent can end: the answer, its report and the calls that were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from agent_scene import (
    DRAFT,
    DRAFT_COST,
    JUDGE_COST,
    JUDGED_WRONG,
    LARGE,
    LARGE_COST,
    PRICES,
    SEARCH_COST,
    SEARCHES,
    WRITES_LARGE,
    MakeAgent,
    says,
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A script, and what must come of it."""

    script: dict[str, Any]
    text: str
    route: str
    verdict: str
    confidence: float | None
    reason: str
    cost: float | None
    stages: list[str]
    degraded: bool = False
    errors: list[str | None] = field(default_factory=list)


ALL_STAGES = ["small_answer", "small_answer", "verify", "large_answer"]
OUTCOMES = {
    "accepted": Outcome(
        script={},
        text=DRAFT,
        route="small",
        verdict="CORRECT",
        confidence=1.0,
        reason="CORRECT",
        cost=SEARCH_COST + DRAFT_COST + JUDGE_COST,
        stages=ALL_STAGES[:3],
    ),
    "escalated": Outcome(
        script={"judge": JUDGED_WRONG, "large": WRITES_LARGE},
        text=LARGE,
        route="large",
        verdict="INCORRECT",
        confidence=0.0,
        reason="INCORRECT",
        cost=SEARCH_COST + DRAFT_COST + JUDGE_COST + LARGE_COST,
        stages=ALL_STAGES,
    ),
    "unparsed verdict": Outcome(
        script={"judge": (says("Perhaps.", 120, 1),), "large": WRITES_LARGE},
        text=LARGE,
        route="large",
        verdict="UNPARSED",
        confidence=None,
        reason="no judgement: the judge's reply holds no decision",
        cost=SEARCH_COST + DRAFT_COST + JUDGE_COST + LARGE_COST,
        stages=ALL_STAGES,
    ),
    "small fails": Outcome(
        script={"small": (SEARCHES, TimeoutError("DRAFT")), "judge": (), "large": WRITES_LARGE},
        text=LARGE,
        route="large",
        verdict="UNPARSED",
        confidence=None,
        reason="no judgement: the small model gave no answer",
        cost=None,
        stages=["small_answer", "small_answer", "large_answer"],
        errors=[None, "TimeoutError", None],
    ),
    "small is empty": Outcome(
        script={"small": (SEARCHES, says(" ")), "judge": (), "large": WRITES_LARGE},
        text=LARGE,
        route="large",
        verdict="UNPARSED",
        confidence=None,
        reason="no judgement: the small model gave no answer",
        cost=SEARCH_COST + DRAFT_COST + LARGE_COST,
        stages=["small_answer", "small_answer", "large_answer"],
        errors=[None, "empty answer", None],
    ),
    "verifier fails": Outcome(
        script={"judge": (ConnectionError("DRAFT"),), "large": WRITES_LARGE},
        text=LARGE,
        route="large",
        verdict="UNPARSED",
        confidence=None,
        reason="no judgement: the judge failed: ConnectionError",
        cost=None,
        stages=ALL_STAGES,
        errors=[None, None, "ConnectionError", None],
    ),
    "large fails": Outcome(
        script={"judge": JUDGED_WRONG, "large": (ConnectionError("provider words"),)},
        text=DRAFT,
        route="small",
        verdict="INCORRECT",
        confidence=0.0,
        reason="INCORRECT",
        cost=None,
        stages=ALL_STAGES,
        degraded=True,
        errors=[None, None, None, "ConnectionError"],
    ),
    "large is empty": Outcome(
        script={"judge": JUDGED_WRONG, "large": (says("", 200, 20),)},
        text=DRAFT,
        route="small",
        verdict="INCORRECT",
        confidence=0.0,
        reason="INCORRECT",
        cost=SEARCH_COST + DRAFT_COST + JUDGE_COST + LARGE_COST,
        stages=ALL_STAGES,
        degraded=True,
        errors=[None, None, None, "empty answer"],
    ),
}


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
async def test_every_outcome(make_agent: MakeAgent, outcome: Outcome, sync: bool) -> None:
    state = await make_agent(**outcome.script, prices=PRICES).ask(sync=sync)
    report, message = state["automix"], state["messages"][-1]
    assert message.text == outcome.text
    assert [report[name] for name in ("route", "verdict", "confidence", "degraded")] == [
        outcome.route,
        outcome.verdict,
        outcome.confidence,
        outcome.degraded,
    ]
    assert outcome.reason in report["reason"]
    assert report["cost"] == (None if outcome.cost is None else pytest.approx(outcome.cost))
    calls = report["usage"]["calls"]
    assert [call["stage"] for call in calls] == outcome.stages
    assert [call["error"] for call in calls] == (outcome.errors or [None] * len(calls))
    assert message.response_metadata["automix"] == {
        name: report[name] for name in ("route", "verdict", "confidence", "degraded")
    }
    if outcome.route == "large":
        assert "DRAFT" not in repr(state)
