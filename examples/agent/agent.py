"""A cascade inside a LangChain agent, in two ways: as middleware around its model, and as a tool that it calls.

Run it with ``python examples/agent/agent.py``: the models are scripted, so it needs no key. With real models:

.. code-block:: bash

    python examples/agent/agent.py openai:gpt-5-mini openai:gpt-5

Take the middleware if the agent finds its documents with tools of yours and should answer at a lower price. Take the
tool if one kind of question is to be answered from one set of documents, by an agent that does other things too.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel

from automix_graph import AutoMixMiddleware, create_automix, create_automix_tool
from automix_graph.models.chat import resolve_chat_model
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever

PASSAGES: Final = [
    "The observatory was opened in May 1974. Its mirror is four metres wide.",
    "The observatory stands on a hill above the village of Altenau.",
]
QUESTIONS: Final = ["How wide is the mirror?", "When was the observatory opened?"]


def search(query: str) -> str:
    """Search the archive of the observatory."""
    return "\n".join(document.page_content for document in StaticRetriever(PASSAGES).invoke(query))


def with_middleware(small: BaseChatModel, large: BaseChatModel) -> list[dict[str, Any]]:
    """Have the small model answer, judged by what the tool found, and the large one where that is not good enough."""
    agent = create_agent(large, [search], middleware=[AutoMixMiddleware(small=small)])
    return [agent.invoke({"messages": [("user", question)]}) for question in QUESTIONS]


def with_tool(small: BaseChatModel, large: BaseChatModel, model: BaseChatModel) -> dict[str, Any]:
    """Have an agent ask the graph."""
    graph = create_automix(small=small, large=large, retriever=StaticRetriever(PASSAGES))
    tool = create_automix_tool(graph, description="Answer a question about the observatory, from its archive.")
    result: dict[str, Any] = create_agent(model, [tool]).invoke({"messages": [("user", QUESTIONS[0])]})
    return result


def scripted() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run both on scripted models: one draft is kept, and one rejected."""
    searches = ScriptedReply(text="", tool_calls=(("search", {"query": "observatory"}),))
    asks = ScriptedReply(text="", tool_calls=(("ask_documents", {"question": QUESTIONS[0]}),))
    answers = with_middleware(
        ScriptedChatModel([searches, "Four metres.", searches, "In June 1947."], label="small"),
        ScriptedChatModel(["Correct", "Incorrect", "In May 1974."], label="large"),
    )
    asked = with_tool(
        ScriptedChatModel(["Four metres."], label="small"),
        ScriptedChatModel(["Correct"], label="large"),
        ScriptedChatModel([asks, "The mirror is four metres wide."], label="agent"),
    )
    return answers, asked


def main(names: list[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run both agents and show where each answer came from.

    Args:
        names: of a small and a large model; none: scripted ones.
    """
    if names:
        small, large = (resolve_chat_model(name) for name in names)
        answers, asked = with_middleware(small, large), with_tool(small, large, small)
    else:
        answers, asked = scripted()
    for question, state in zip(QUESTIONS, answers, strict=True):
        report = state["automix"]
        print(f"{question} [{report['route']}, {report['verdict']}] {state['messages'][-1].text}")
    for message in asked["messages"]:
        if message.type == "tool" and message.artifact:
            sources = len(message.artifact["sources"])
            print(f"{QUESTIONS[0]} [tool: {message.artifact['route']}, {sources} sources] {message.artifact['answer']}")
    return answers, asked


if __name__ == "__main__":
    main(sys.argv[1:])
