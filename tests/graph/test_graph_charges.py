"""What a graph charges for: every call, and what is unknown stays unknown."""

from __future__ import annotations

import pytest
from scene import DOWN, DRAFT, LARGE, QUESTION, MakeScene

from automix_graph.errors import ConfigurationError
from automix_graph.testing import ScriptedReply


def test_every_call_is_charged(make_scene: MakeScene) -> None:
    scene = make_scene(
        small=[ScriptedReply(text=DRAFT, usage=(100, 10))],
        judge=[ScriptedReply(text="Incorrect", usage=(200, 1))],
        large=[ScriptedReply(text=LARGE, usage=(100, 20))],
        prices={"small-model": (1.0, 2.0), "judge-model": (10.0, 20.0), "large-model": (10.0, 20.0)},
    )
    result = scene.graph.invoke(QUESTION)
    assert [call["cost"] for call in result["usage"]["calls"]] == pytest.approx([120e-6, 2020e-6, 1400e-6])
    assert result["cost"] == pytest.approx(3540e-6)
    assert (result["usage"]["input_tokens"], result["usage"]["output_tokens"]) == (400, 31)


def test_a_failed_call_makes_the_cost_unknown(make_scene: MakeScene) -> None:
    prices = dict.fromkeys(["small-model", "judge-model", "large-model"], (1.0, 1.0))
    result = make_scene(judge=[DOWN], large=[LARGE], prices=prices).graph.invoke(QUESTION)
    assert result["cost"] is None
    assert result["usage"]["cost_at_least"] > 0
    assert result["usage"]["calls"][1]["error"] == "ConnectionError"


def test_a_price_for_a_model_that_is_not_called_is_refused(make_scene: MakeScene) -> None:
    with pytest.raises(ConfigurationError, match="typo"):
        make_scene(small=[], judge=[], prices={"typo": (1.0, 1.0)})


def test_unreported_usage_is_missing_not_zero(make_scene: MakeScene) -> None:
    result = make_scene(small=[ScriptedReply(text=DRAFT, usage=())]).graph.invoke(QUESTION)
    assert result["usage"]["calls"][0]["input_tokens"] is None
    assert result["usage"]["calls_without_usage"] == 1
