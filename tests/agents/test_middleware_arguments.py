"""Arguments that the middleware refuses."""

from __future__ import annotations

from typing import Any

import pytest
from agent_scene import QUESTION, search
from langchain.agents import create_agent

from automix_graph import AutoMixMiddleware, Price, Threshold
from automix_graph.errors import ConfigurationError
from automix_graph.policies.made_for import MadeFor, TierMade, bind
from automix_graph.testing import ScriptedChatModel


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


def test_a_price_of_a_model_that_is_not_called_is_refused() -> None:
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
