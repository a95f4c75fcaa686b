"""The middleware within an agent: the conversation that it leaves, and the models that it calls."""

from __future__ import annotations

from typing import Any

from agent_scene import DRAFT, JUDGED_WRONG, LARGE, QUESTION, SEARCHES, WRITES_LARGE, MakeAgent, says, search
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, wrap_model_call

from automix_graph import AutoMixMiddleware
from automix_graph.testing import ScriptedChatModel


def test_the_conversation_is_that_of_an_agent(make_agent: MakeAgent) -> None:
    state = make_agent().agent.invoke(QUESTION)
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][1].response_metadata["automix"]["verdict"] is None


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


def test_a_large_model_of_its_own_takes_the_place_of_the_agents(make_agent: MakeAgent) -> None:
    other = ScriptedChatModel(WRITES_LARGE, label="other-model")
    result = make_agent(judge=JUDGED_WRONG, answers_instead=other).agent.invoke(QUESTION)
    assert result["messages"][-1].text == LARGE
    assert result["automix"]["usage"]["calls"][-1]["model"] == "other-model"


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
