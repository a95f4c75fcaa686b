"""What one call may set, by context and by configuration."""

from dataclasses import dataclass
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from scene import LARGE, QUESTION, MakeScene

from automix_graph import AutomixContext
from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier


def graph_of(sure: float = 0.6, large: tuple[str, ...] = (LARGE,)) -> Any:
    return create_automix(
        small=ScriptedChatModel(["S"], label="s"),
        large=ScriptedChatModel(large, label="l"),
        verifier=FunctionVerifier(function=lambda case: sure, name="sure"),
        retriever=StaticRetriever(["text"]),
    )


async def test_a_threshold_takes_the_place_of_the_policy() -> None:
    assert graph_of().invoke(QUESTION)["route"] == "small"
    assert graph_of().invoke(QUESTION, context=AutomixContext(threshold=0.7))["route"] == "large"
    assert graph_of().invoke(QUESTION, context={"threshold": 0.7})["route"] == "large"
    assert graph_of().invoke(QUESTION, {"configurable": {"threshold": 0.7}})["route"] == "large"
    assert (await graph_of().ainvoke(QUESTION, context=AutomixContext(threshold=0.7)))["route"] == "large"
    # The context wins, whole.
    both = graph_of().invoke(QUESTION, {"configurable": {"threshold": 0.9}}, context=AutomixContext(threshold=0.5))
    assert both["route"] == "small"


def test_the_language_of_the_prompts_can_be_set() -> None:
    small = ScriptedChatModel(["S"])
    graph = create_automix(small=small, large=ScriptedChatModel(["Correct"]), retriever=StaticRetriever(["text"]))
    graph.invoke(QUESTION, context=AutomixContext(language="zh"))
    assert "问题" in small.prompt_texts[0]
    with pytest.raises(ConfigurationError, match="language is 'fr'; this graph has prompts for 'en', 'zh'"):
        graph.invoke(QUESTION, {"configurable": {"language": "fr"}})


@pytest.mark.parametrize("setting", [{"threshold": 2}, {"threshold": "high"}, {"threshold": True}, {"language": 7}])
def test_settings_that_cannot_be_used_are_refused(make_scene: MakeScene, setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        AutomixContext(**setting)
    with pytest.raises(ConfigurationError):
        graph_of().invoke(QUESTION, {"configurable": setting})


@dataclass
class Other:
    threshold: str = "none of ours"


def test_the_context_of_a_parent_graph_sets_nothing() -> None:
    parent = StateGraph(MessagesState, context_schema=Other)
    parent.add_node("automix", graph_of())
    parent.add_edge(START, "automix")
    result = parent.compile().invoke({"messages": [("user", "What?")]}, context=Other())
    assert result["messages"][-1].text == "S"


def test_other_keys_of_the_configuration_are_let_alone() -> None:
    assert graph_of().invoke(QUESTION, {"configurable": {"user": "x"}})["route"] == "small"
