"""An agent over scripted models with a tool that searches, and what the tests of agents say to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel

from automix_graph import AutoMixMiddleware
from automix_graph.testing import ScriptedChatModel, ScriptedReply
from automix_graph.testing.chat_models import Reply

QUESTION = {"messages": [("user", "When was it opened?")]}
FOUND = "The observatory was opened in May 1974."
DRAFT = "the DRAFT answer"
LARGE = "the LARGE answer"
SEARCHES = ScriptedReply(text="", usage=(20, 5), tool_calls=(("search", {"query": "opened"}),))
PRICES = {"small-model": (1.0, 4.0), "judge-model": (2.0, 8.0), "large-model": (10.0, 40.0)}

# In USD, worked out from PRICES by hand: the small model's search reads 20 tokens and writes 5.
SEARCH_COST = (20 * 1 + 5 * 4) / 1e6
DRAFT_COST = (100 * 1 + 10 * 4) / 1e6
JUDGE_COST = (120 * 2 + 1 * 8) / 1e6
LARGE_COST = (200 * 10 + 20 * 40) / 1e6


class Opening(BaseModel):
    """When something was opened."""

    year: int


def search(query: str) -> str:
    """Search the archive."""
    return FOUND


def says(text: str, read: int = 100, written: int = 10) -> ScriptedReply:
    """Return a reply with a usage that is easily added up."""
    return ScriptedReply(text=text, usage=(read, written))


def opening(year: object) -> ScriptedReply:
    """Return a structured answer."""
    return ScriptedReply(text="", usage=(100, 10), tool_calls=(("Opening", {"year": year}),))


JUDGED_WRONG = (says("Incorrect", 120, 1),)
WRITES_LARGE = (says(LARGE, 200, 20),)


@dataclass(frozen=True, kw_only=True)
class AgentScene:
    """An agent over scripted models, and the models."""

    agent: CompiledStateGraph[Any, Any, Any, Any]
    small: ScriptedChatModel
    judge: ScriptedChatModel
    large: ScriptedChatModel

    async def ask(self, *, sync: bool) -> dict[str, Any]:
        """Return the last state of a run."""
        state: dict[str, Any] = self.agent.invoke(QUESTION) if sync else await self.agent.ainvoke(QUESTION)
        return state


MakeAgent = Callable[..., AgentScene]


def make_agent_scene(
    *,
    small: Sequence[Reply] = (SEARCHES, says(DRAFT)),
    judge: Sequence[Reply] = (says("Correct", 120, 1),),
    large: Sequence[Reply] = (),
    tools: Sequence[Callable[..., Any]] = (search,),
    agent: dict[str, Any] | None = None,
    answers_instead: ScriptedChatModel | None = None,
    **arguments: Any,
) -> AgentScene:
    models = {
        "small": ScriptedChatModel(small, label="small-model"),
        "judge": ScriptedChatModel(judge, label="judge-model"),
        "large": ScriptedChatModel(large, label="large-model"),
    }
    middleware = AutoMixMiddleware(
        **{"small": models["small"], "verifier": models["judge"], "large": answers_instead, **arguments}
    )
    return AgentScene(
        agent=create_agent(models["large"], list(tools), middleware=[middleware], **(agent or {})), **models
    )
