from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from agent_scene import DRAFT, FOUND, LARGE, PRICES, QUESTION, SEARCHES, MakeAgent, says, search
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, ModelRetryMiddleware, wrap_model_call
from langchain.agents.structured_output import AutoStrategy, ToolStrategy
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool, ToolException
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from automix_graph import AutoMixMiddleware, FunctionVerifier, Price, Threshold, Votes
from automix_graph.errors import ConfigurationError
from automix_graph.policies.made_for import MadeFor, TierMade, bind
from automix_graph.records import Decision, Verdict, Verification
from automix_graph.testing import ScriptedChatModel, ScriptedReply
from automix_graph.verification import AnswerConfidence, Case, Judgement

JUDGED_WRONG = (says("Incorrect", 120, 1),)
WRITES_LARGE = (says(LARGE, 200, 20),)

# In USD, worked out from PRICES by hand: the small model's search reads 20 tokens and writes 5.
SEARCH_COST = (20 * 1 + 5 * 4) / 1e6
DRAFT_COST = (100 * 1 + 10 * 4) / 1e6
JUDGE_COST = (120 * 2 + 1 * 8) / 1e6
LARGE_COST = (200 * 10 + 20 * 40) / 1e6


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


async def test_the_conversation_is_that_of_an_agent(make_agent: MakeAgent) -> None:
    state = await make_agent().ask(sync=True)
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][1].response_metadata["automix"]["verdict"] is None


async def test_the_ledger_adds_up_over_the_run(make_agent: MakeAgent) -> None:
    state = await make_agent(judge=JUDGED_WRONG, large=WRITES_LARGE, prices=PRICES).ask(sync=True)
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


async def test_the_judge_reads_the_question_and_what_the_tools_found(make_agent: MakeAgent) -> None:
    scene = make_agent()
    await scene.ask(sync=True)
    [prompt] = scene.judge.prompt_texts
    assert "When was it opened?" in prompt
    assert FOUND in prompt
    assert DRAFT in prompt


def test_without_results_of_tools_no_draft_counts(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE)
    report = scene.agent.invoke(QUESTION)["automix"]
    assert (report["route"], report["verdict"]) == ("large", "UNPARSED")
    assert report["reason"] == "no judgement: there are no results of tools to judge the answer by"


def test_a_policy_that_accepts_everything_does_not_change_that(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE, policy=Threshold(0.0))
    assert scene.agent.invoke(QUESTION)["messages"][-1].text == LARGE


def test_a_tool_that_failed_is_no_document(make_agent: MakeAgent) -> None:
    def broken(query: str) -> str:
        """Search the archive."""
        raise ToolException("no archive")

    tool = StructuredTool.from_function(broken, name="search", handle_tool_error=True)
    scene = make_agent(judge=[], large=WRITES_LARGE, tools=[tool])
    state = scene.agent.invoke(QUESTION)
    assert state["messages"][2].status == "error"
    assert state["automix"]["reason"] == "no judgement: there are no results of tools to judge the answer by"


def test_a_conversation_without_a_question_escalates(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE)
    messages = [
        AIMessage("", tool_calls=[{"name": "search", "args": {"query": "x"}, "id": "1"}]),
        ToolMessage(FOUND, tool_call_id="1", name="search"),
    ]
    report = scene.agent.invoke({"messages": messages})["automix"]
    assert report["reason"] == "no judgement: there is no human message to judge the answer by"


def test_parallel_tool_calls_are_one_draft_and_all_results_are_read(make_agent: MakeAgent) -> None:
    def count(what: str) -> str:
        """Count things."""
        return f"There are seven {what}."

    both = ScriptedReply(text="", tool_calls=(("search", {"query": "a"}), ("count", {"what": "domes"})))
    scene = make_agent(small=[both, says(DRAFT)], tools=[search, count])
    state = scene.agent.invoke(QUESTION)
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "tool", "ai"]
    assert len(state["automix"]["steps"]) == 2
    [prompt] = scene.judge.prompt_texts
    assert prompt.index(FOUND) < prompt.index("There are seven domes.")


def test_every_model_has_the_tools_and_the_system_prompt_of_the_agent(make_agent: MakeAgent) -> None:
    scene = make_agent(judge=JUDGED_WRONG, large=WRITES_LARGE, agent={"system_prompt": "Be brief."})
    scene.agent.invoke(QUESTION)
    for model in (scene.small, scene.large):
        assert model.prompts[-1][0].text == "Be brief."
        assert [tool["function"]["name"] for tool in model.options[-1]["tools"]] == ["search"]
    assert [message.text for message in scene.large.prompts[0]] == [message.text for message in scene.small.prompts[1]]
    assert "tools" not in scene.judge.options[0]


def test_a_large_model_that_searches_on_is_followed_by_a_new_draft(make_agent: MakeAgent) -> None:
    scene = make_agent(
        small=[says("first DRAFT"), says("second answer")], large=[SEARCHES], judge=[says("Correct", 120, 1)]
    )
    state = scene.agent.invoke(QUESTION)
    assert state["messages"][-1].text == "second answer"
    assert [step["route"] for step in state["automix"]["steps"]] == ["large", "small"]
    assert "first DRAFT" not in repr(state)


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


# Who answers, judges and decides


def test_a_large_model_of_its_own_takes_the_place_of_the_agents(make_agent: MakeAgent) -> None:
    other = ScriptedChatModel(WRITES_LARGE, label="other-model")
    result = make_agent(judge=JUDGED_WRONG, answers_instead=other).agent.invoke(QUESTION)
    assert result["messages"][-1].text == LARGE
    assert result["automix"]["usage"]["calls"][-1]["model"] == "other-model"


@pytest.mark.parametrize("verifier", [None, "large"])
def test_the_agents_own_model_judges_by_default(make_agent: MakeAgent, verifier: str | None) -> None:
    scene = make_agent(judge=[], large=[says("Correct", 120, 1)], verifier=verifier)
    report = scene.agent.invoke(QUESTION)["automix"]
    assert (report["route"], report["usage"]["calls"][-1]["model"]) == ("small", "large-model")


def test_a_function_may_judge_and_a_policy_decide(make_agent: MakeAgent) -> None:
    def confidence(case: dict[str, Any]) -> float:
        assert case["passages"] == [FOUND]
        return 0.6

    strict = make_agent(
        judge=[], large=WRITES_LARGE, verifier=FunctionVerifier(function=confidence), policy=Threshold(0.7)
    )
    assert strict.agent.invoke(QUESTION)["automix"]["route"] == "large"
    lenient = make_agent(judge=[], verifier=FunctionVerifier(function=confidence), policy=Threshold(0.5))
    report = lenient.agent.invoke(QUESTION)["automix"]
    assert (report["route"], report["confidence"]) == ("small", 0.6)


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_verifier_that_raises_has_not_judged(make_agent: MakeAgent, sync: bool) -> None:
    class Broken:
        method = "broken"

        def verify(self, case: Case, config: Any = None) -> Judgement:
            raise RuntimeError(case.answer)

        async def averify(self, case: Case, config: Any = None) -> Judgement:
            raise RuntimeError(case.answer)

    report = (await make_agent(judge=[], large=WRITES_LARGE, verifier=Broken()).ask(sync=sync))["automix"]
    assert (report["route"], report["verdict"]) == ("large", "UNPARSED")
    assert report["reason"] == "no judgement: the verifier raised RuntimeError"


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_log_probabilities_are_asked_for_where_the_verifier_reads_them(make_agent: MakeAgent, sync: bool) -> None:
    sure = ScriptedReply(text="yes", logprobs=(("yes", -0.1),))
    scene = make_agent(small=[SEARCHES, sure], judge=[], verifier=AnswerConfidence(), policy=Threshold(0.5))
    report = (await scene.ask(sync=sync))["automix"]
    assert report["route"] == "small"
    assert 0.5 < report["confidence"] < 1.0
    assert scene.small.options[-1]["logprobs"] is True


def test_log_probabilities_are_not_asked_for_otherwise(make_agent: MakeAgent) -> None:
    scene = make_agent()
    scene.agent.invoke(QUESTION)
    assert "logprobs" not in scene.small.options[-1]


def test_a_question_in_chinese_is_judged_in_chinese(make_agent: MakeAgent) -> None:
    scene = make_agent(judge=[says("正确")])
    result = scene.agent.invoke({"messages": [("user", "天文台是什么时候开放的？")]})
    assert result["automix"]["verdict"] == "CORRECT"
    assert "天文台是什么时候开放的？" in scene.judge.prompt_texts[0]


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


def test_votes_stop_where_the_decision_is_settled(make_agent: MakeAgent) -> None:
    judge = ScriptedChatModel([says("Correct"), says("Correct")], label="judge-model")
    scene = make_agent(judge=[], verifier=Votes(judge=judge, samples=3, adaptive=True), policy=Threshold(0.5))
    report = scene.agent.invoke(QUESTION)["automix"]
    assert (report["route"], [call["stage"] for call in report["usage"]["calls"]].count("verify")) == ("small", 2)
    judge.assert_consumed()


def test_a_judge_of_the_large_model_does_not_make_it_look_cheaper(make_agent: MakeAgent) -> None:
    scene = make_agent(judge=[], large=[says("Correct", 30, 1)], verifier=None, prices={"large-model": (10.0, 40.0)})
    usage = scene.agent.invoke(QUESTION)["automix"]["usage"]
    # What the drafts read and wrote, at the large model's prices, though its judge read only 30 tokens.
    assert usage["always_large_cost"] == pytest.approx(((20 + 100) * 10 + (5 + 10) * 40) / 1e6)


# Failures


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_a_large_failure_is_raised_where_that_is_asked_for(make_agent: MakeAgent, sync: bool) -> None:
    error = ConnectionError("the model's own")
    scene = make_agent(judge=JUDGED_WRONG, large=[error], on_large_failure="raise")
    with pytest.raises(ConnectionError, match="the model's own") as raised:
        await scene.ask(sync=sync)
    assert raised.value is error


def test_a_large_failure_is_raised_where_there_is_no_draft(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[TimeoutError()], judge=[], large=[ConnectionError("both")])
    with pytest.raises(ConnectionError, match="both"):
        scene.agent.invoke(QUESTION)


def test_an_empty_large_answer_is_the_agents_where_there_is_no_draft(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says("")], judge=[], large=[says("")])
    result = scene.agent.invoke(QUESTION)
    assert result["messages"][-1].text == ""
    assert (result["automix"]["route"], result["automix"]["degraded"]) == ("large", False)


def test_middleware_around_it_can_try_again(make_agent: MakeAgent) -> None:
    small = ScriptedChatModel([says(DRAFT), says(DRAFT)], label="small-model")
    large = ScriptedChatModel([ConnectionError(), says(LARGE)], label="large-model")
    agent = create_agent(
        large,
        [search],
        middleware=[
            ModelRetryMiddleware(max_retries=1, retry_on=(ConnectionError,), initial_delay=0.0),
            AutoMixMiddleware(small=small, on_large_failure="raise"),
        ],
    )
    assert agent.invoke(QUESTION)["messages"][-1].text == LARGE


def test_mistakes_in_code_are_not_hidden(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[AssertionError("a mistake")], judge=[])
    with pytest.raises(AssertionError, match="a mistake"):
        scene.agent.invoke(QUESTION)


# Structured answers


class Opening(BaseModel):
    """When something was opened."""

    year: int


def opening(year: object) -> ScriptedReply:
    return ScriptedReply(text="", usage=(100, 10), tool_calls=(("Opening", {"year": year}),))


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


# Arguments


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"small": 3}, "not a chat model"),
        ({"large": 3}, "not a chat model"),
        ({"verifier": 3}, "verifier is 3"),
        ({"policy": "strict"}, "policy is 'strict'"),
        ({"language": "xx"}, "xx"),
        ({"prices": {"small-model": (-1, 2)}}, "cannot be used"),
        ({"on_large_failure": "ignore"}, "use 'degrade' or 'raise'"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_at_once(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        AutoMixMiddleware(**{"small": ScriptedChatModel([]), **arguments})


def test_a_price_of_a_model_that_is_not_called_is_refused(make_agent: MakeAgent) -> None:
    models = {name: ScriptedChatModel([], label=name) for name in ("small", "large", "judge")}
    with pytest.raises(ConfigurationError, match="tiny"):
        AutoMixMiddleware(
            small=models["small"], large=models["large"], verifier=models["judge"], prices={"tiny": Price(1, 2)}
        )


@pytest.mark.parametrize("given", [True, False], ids=["given", "the agent's own"])
def test_a_policy_that_was_made_for_another_model_is_refused(given: bool) -> None:
    small, large = ScriptedChatModel([], label="small"), ScriptedChatModel([], label="large")
    policy = Threshold(0.5)
    bind(policy, MadeFor(tiers=(TierMade(name="small", model="small"), TierMade(name="large", model="huge"))))
    with pytest.raises(ConfigurationError, match="huge"):
        middleware = AutoMixMiddleware(small=small, large=large if given else None, policy=policy)
        create_agent(large, [search], middleware=[middleware]).invoke(QUESTION)


def test_a_model_that_other_middleware_chooses_is_the_large_one() -> None:
    models = [ScriptedChatModel([says("Incorrect"), says(LARGE)], label=name) for name in ("first", "second")]
    remaining = list(models)

    @wrap_model_call
    def choose(request: ModelRequest[Any], handler: Any) -> Any:
        return handler(request.override(model=remaining[0]))

    small = ScriptedChatModel([SEARCHES, says(DRAFT), SEARCHES, says(DRAFT)], label="small-model")
    agent = create_agent(
        ScriptedChatModel([], label="unused"), [search], middleware=[choose, AutoMixMiddleware(small=small)]
    )
    for model in models:
        report = agent.invoke(QUESTION)["automix"]
        assert [call["model"] for call in report["usage"]["calls"][-2:]] == [model.label, model.label]
        remaining.pop(0)
