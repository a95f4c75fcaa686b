"""What the benchmark of the graph runs on: models that answer at once, and the bare graph that it is compared with.

The bare graph is what a LangGraph user writes by hand: four nodes, plain functions (coroutine functions for async
runs), a typed dict, one conditional edge. It sends the same prompts to the same models, and does nothing else: no
ledger, no limits, nothing withheld from streams, no record, no check of replies.
"""

from __future__ import annotations

from typing import Any, Final, TypedDict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from timed_model import TimedChatModel

from automix_graph import build_automix
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage

QUESTION: Final = "When did the old bridge over the river Tarn open to traffic?"
_SENTENCE: Final = "The bridge over the river was opened to traffic in May by the mayor of the town, after nine years. "
PASSAGES: Final = tuple(f"Part {number} of the chronicle. " + _SENTENCE * 8 for number in range(4))
"""Four passages of 150 words, as long as those of SQuAD."""


class InstantRetriever(BaseRetriever):
    """Return the same passages at once, in this thread or event loop."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return list(self.documents)

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return list(self.documents)


def scene(*, accept: bool) -> dict[str, Any]:
    """Return the models and the retriever of both graphs.

    Args:
        accept: whether the judge keeps the small answer.
    """
    documents = [
        Document(id=f"p{number}", page_content=text, metadata={"source": "chronicle.txt", "part": number})
        for number, text in enumerate(PASSAGES)
    ]
    return {
        "small": TimedChatModel(label="small", text="It opened in May."),
        "large": TimedChatModel(label="large", text="In May."),
        "verifier": TimedChatModel(label="judge", text="Correct." if accept else "Incorrect."),
        "retriever": InstantRetriever(documents=documents),
    }


def automix(parts: dict[str, Any], checkpointer: Any) -> Any:
    """Return our graph, with prices for all models, as a user has them."""
    graph = build_automix(**parts, prices={"small": (1, 4), "large": (10, 40), "judge": (10, 40)})
    return graph.compile(checkpointer=checkpointer)


class BareState(TypedDict, total=False):
    """What travels between the nodes of the bare graph."""

    question: str
    documents: list[Document]
    draft: str
    verdict: str
    answer: str
    route: str


def bare(parts: dict[str, Any], checkpointer: Any, *, asynchronous: bool) -> Any:
    """Return the bare graph.

    Args:
        parts: models and retriever.
        checkpointer: that it is compiled with; None: without.
        asynchronous: whether its nodes are coroutine functions, which cost less than functions in an async run.
    """
    nodes = _async_nodes(**parts) if asynchronous else _sync_nodes(**parts)
    graph = StateGraph(BareState)
    for name, node in nodes.items():
        graph.add_node(name, node)
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "small_answer")
    graph.add_edge("small_answer", "verify")
    graph.add_conditional_edges("verify", _route, {"large": "large_answer", "end": END})
    graph.add_edge("large_answer", END)
    return graph.compile(checkpointer=checkpointer)


def _route(state: BareState) -> str:
    return "end" if "answer" in state else "large"


def _sync_nodes(small: Any, large: Any, verifier: Any, retriever: Any) -> dict[str, Any]:
    def retrieve(state: BareState, config: RunnableConfig) -> BareState:
        return {"documents": retriever.invoke(state["question"], config)}

    def small_answer(state: BareState, config: RunnableConfig) -> BareState:
        return {"draft": small.invoke(_answer_prompt(state), config).text}

    def verify(state: BareState, config: RunnableConfig) -> BareState:
        return _judged(state, verifier.invoke(_verify_prompt(state), config, max_tokens=16).text)

    def large_answer(state: BareState, config: RunnableConfig) -> BareState:
        return {"answer": large.invoke(_answer_prompt(state), config).text, "route": "large"}

    return {"retrieve": retrieve, "small_answer": small_answer, "verify": verify, "large_answer": large_answer}


def _async_nodes(small: Any, large: Any, verifier: Any, retriever: Any) -> dict[str, Any]:
    async def retrieve(state: BareState, config: RunnableConfig) -> BareState:
        return {"documents": await retriever.ainvoke(state["question"], config)}

    async def small_answer(state: BareState, config: RunnableConfig) -> BareState:
        return {"draft": (await small.ainvoke(_answer_prompt(state), config)).text}

    async def verify(state: BareState, config: RunnableConfig) -> BareState:
        return _judged(state, (await verifier.ainvoke(_verify_prompt(state), config, max_tokens=16)).text)

    async def large_answer(state: BareState, config: RunnableConfig) -> BareState:
        return {"answer": (await large.ainvoke(_answer_prompt(state), config)).text, "route": "large"}

    return {"retrieve": retrieve, "small_answer": small_answer, "verify": verify, "large_answer": large_answer}


def _judged(state: BareState, reply: str) -> BareState:
    verdict = "CORRECT" if reply.strip().lower().startswith("correct") else "INCORRECT"
    return (
        {"verdict": verdict, "answer": state["draft"], "route": "small"}
        if verdict == "CORRECT"
        else {"verdict": verdict}
    )


_PROMPTS: Final = load_prompts("en")
_SHARED_SYSTEM: Final = _PROMPTS.verify("?", [Passage(text="x")], "a")[0].text
_ANSWER_SYSTEM: Final = _PROMPTS.in_layout("document").answer("?", [Passage(text="x")])[0].text
_ANSWER_FORMAT: Final = _PROMPTS.in_layout("document").answer("{question}", [Passage(text="{context}")])[1].text
_VERIFY_FORMAT: Final = _PROMPTS.verify_format()[1].text


def _context(state: BareState) -> str:
    return "\n".join(f"[{number}] {one.page_content.strip()}" for number, one in enumerate(state["documents"], start=1))


def _answer_prompt(state: BareState) -> list[BaseMessage]:
    asked = _ANSWER_FORMAT.format(context=_context(state), question=state["question"])
    return [SystemMessage(_ANSWER_SYSTEM), HumanMessage(asked)]


def _verify_prompt(state: BareState) -> list[BaseMessage]:
    asked = _VERIFY_FORMAT.format(context=_context(state), question=state["question"], generated_answer=state["draft"])
    return [SystemMessage(_SHARED_SYSTEM), HumanMessage(asked)]
