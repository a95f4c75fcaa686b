"""What a graph is given: arguments and questions that are refused, and texts that are mended."""

from __future__ import annotations

from typing import Any

import pytest
from scene import MakeScene

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.policies import Threshold
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import ShortVerdict


def test_text_that_no_encoding_knows_is_mended(make_scene: MakeScene) -> None:
    result = make_scene(small=["caf\ud83d"]).graph.invoke({"question": "why \ud83d?"})
    assert result["answer"] == "caf\ufffd"


@pytest.mark.parametrize("given", [{"question": ""}, {"question": "  "}, {"question": 3}, {"question": None}])
def test_a_question_is_needed(make_scene: MakeScene, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="invoke the graph with"):
        make_scene(small=[], judge=[]).graph.invoke(given)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("policy", Threshold, "Threshold"),
        ("verifier", ShortVerdict, "give an instance"),
        ("language", "fr", "'fr' is unknown"),
        ("on_large_failure", "ignore", "'degrade' or 'raise'"),
        ("policy", 0.7, "Threshold"),
        ("retriever", ["text"], "vector store"),
        ("verifier", 7, "Verifier"),
        ("small", 7, "chat model"),
        ("small", "local:no-such-model", "no-such-model"),
        ("small", None, "small is missing; give small and large, or tiers"),
        ("tiers", [ScriptedChatModel([])] * 3, "tiers and small or large are given"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(argument: str, value: object, message: str) -> None:
    arguments: dict[str, Any] = {
        "small": ScriptedChatModel([]),
        "large": ScriptedChatModel([]),
        "retriever": StaticRetriever([]),
        argument: value,
    }
    with pytest.raises(ConfigurationError, match=message):
        create_automix(**arguments)
