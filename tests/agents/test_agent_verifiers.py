"""Who judges the drafts of an agent, and in which language."""

from __future__ import annotations

from typing import Any

import pytest
from agent_scene import FOUND, QUESTION, SEARCHES, WRITES_LARGE, MakeAgent, says

from automix_graph import FunctionVerifier, Threshold
from automix_graph.testing import ScriptedReply
from automix_graph.verification import AnswerConfidence, Case, Judgement


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
