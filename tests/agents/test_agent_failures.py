"""Models of an agent that fail, or have nothing to say."""

from __future__ import annotations

import pytest
from agent_scene import DRAFT, JUDGED_WRONG, LARGE, QUESTION, MakeAgent, says, search
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware

from automix_graph import AutoMixMiddleware
from automix_graph.testing import ScriptedChatModel


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


def test_middleware_around_it_can_try_again() -> None:
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
