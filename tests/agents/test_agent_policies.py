"""Policies that decide about an agent's drafts: keep them, go on, or give the question up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from agent_scene import JUDGED_WRONG, QUESTION, SEARCHES, WRITES_LARGE, MakeAgent, Opening, opening, says

from automix_graph import Threshold, Votes
from automix_graph.errors import ConfigurationError
from automix_graph.records import Decision, Verdict, Verification
from automix_graph.testing import ScriptedChatModel, ScriptedReply
from automix_graph.verification import Case, Judgement


class GivesUp:
    """Gives every question up that was judged."""

    name = "gives-up"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=False, policy=self.name, reason="hopeless", abstain=True)


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_policy_may_give_a_question_up(make_agent: MakeAgent, sync: bool) -> None:
    state = await make_agent(judge=JUDGED_WRONG, policy=GivesUp()).ask(sync=sync)
    assert state["messages"][-1].text == "The documents do not give an answer that can be relied on."
    assert (state["automix"]["route"], state["automix"]["degraded"]) == ("abstain", False)
    assert "DRAFT" not in repr(state)


def test_an_agent_with_a_response_format_never_gives_up(make_agent: MakeAgent) -> None:
    scene = make_agent(
        small=[SEARCHES, opening(1066)],
        judge=JUDGED_WRONG,
        large=[opening(1974)],
        policy=GivesUp(),
        agent={"response_format": Opening},
    )
    state = scene.agent.invoke(QUESTION)
    assert (state["automix"]["route"], state["structured_response"].year) == ("large", 1974)


@pytest.mark.parametrize(
    ("policy", "large", "events"),
    [(GivesUp(), (), ["verified"]), (None, WRITES_LARGE, ["verified", "escalated"])],
    ids=["given up", "escalated"],
)
def test_progress_tells_what_was_decided(
    make_agent: MakeAgent, policy: GivesUp | None, large: tuple[ScriptedReply, ...], events: list[str]
) -> None:
    scene = make_agent(judge=JUDGED_WRONG, large=large, policy=policy)
    told = list(scene.agent.stream(QUESTION, stream_mode="custom"))
    assert [event["event"] for event in told] == events
    assert told[0]["accept"] is False


class ThreeWays:
    """Keeps drafts above 0.8, gives questions up below 0.2, and asks the large model in between."""

    name = "three-ways"

    def __init__(self, next_tier: int | None = None) -> None:
        self.questions: list[str] = []
        self.next_tier = next_tier

    def decide(self, history: Sequence[Verification]) -> Decision:
        raise AssertionError("it wants to know the question")

    def decide_for(self, question: str, history: Sequence[Verification]) -> Decision:
        self.questions.append(question)
        [verification] = history
        sure = verification.confidence or 0.0
        going = self.next_tier if 0.2 <= sure <= 0.8 else None
        return Decision(accept=sure > 0.8, abstain=sure < 0.2, next_tier=going, policy=self.name, reason="so")


class Sure:
    """Is as sure as it is told to be, and notes where each confidence would lead."""

    method = "sure"

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence
        self.ways: list[Any] = []

    def verify(self, case: Case, config: Any = None) -> Judgement:
        assert case.goes is not None
        self.ways = [case.goes(self.found(sure)) for sure in (0.9, 0.95, 0.5, 0.6, 0.1, 0.15)]
        return Judgement(verification=self.found(self.confidence))

    async def averify(self, case: Case, config: Any = None) -> Judgement:
        return self.verify(case, config)

    def found(self, confidence: float) -> Verification:
        verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
        return Verification(method=self.method, verdict=verdict, confidence=confidence)


def test_a_verifier_can_tell_where_the_policy_would_go(make_agent: MakeAgent) -> None:
    verifier, policy = Sure(0.9), ThreeWays(next_tier=-1)
    report = make_agent(judge=[], verifier=verifier, policy=policy).agent.invoke(QUESTION)["automix"]
    assert report["route"] == "small"
    first, again, second, second_again, third, third_again = verifier.ways
    assert (first, second, third) == (again, second_again, third_again)
    assert len({first, second, third}) == 3
    assert set(policy.questions) == {"When was it opened?"}


def test_a_policy_that_names_a_third_tier_is_refused(make_agent: MakeAgent) -> None:
    scene = make_agent(judge=[], verifier=Sure(0.5), policy=ThreeWays(next_tier=2))
    with pytest.raises(ConfigurationError, match="position 2"):
        scene.agent.invoke(QUESTION)


def test_votes_stop_where_the_decision_is_settled(make_agent: MakeAgent) -> None:
    judge = ScriptedChatModel([says("Correct"), says("Correct")], label="judge-model")
    scene = make_agent(judge=[], verifier=Votes(judge=judge, samples=3, adaptive=True), policy=Threshold(0.5))
    report = scene.agent.invoke(QUESTION)["automix"]
    assert (report["route"], [call["stage"] for call in report["usage"]["calls"]].count("verify")) == ("small", 2)
    judge.assert_consumed()
