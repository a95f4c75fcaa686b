"""A retriever that is down, hangs, or returns what nobody can read: an error, or an answer without passages."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, LARGE, QUESTION

from automix_graph.costs import Limits
from automix_graph.errors import AutomixError, ConfigurationError, LimitReachedError, ModelCallError
from automix_graph.graph import build_automix, create_automix
from automix_graph.graph.passages import LONGEST_CONTEXT, UnusableDocumentsError
from automix_graph.records import SKIPPED, Record
from automix_graph.testing import FunctionChatModel, ScriptedChatModel

PROVIDER_WORDS = "host 10.0.0.7 refused the key sk-1"
ways = pytest.mark.parametrize("sync", [True, False])


def retrieving(found: Callable[[str], Any]) -> Any:
    async def afound(question: str) -> Any:
        return found(question)

    return RunnableLambda(found, afunc=afound)


def returning(found: Any) -> Any:
    return retrieving(lambda _: found)


def down(_: str) -> Any:
    raise TimeoutError(PROVIDER_WORDS)


def settings(retriever: Any, **arguments: Any) -> dict[str, Any]:
    return {
        "small": ScriptedChatModel([], label="s"),
        "verifier": ScriptedChatModel([], label="j"),
        "large": ScriptedChatModel([LARGE], label="l"),
        "retriever": retriever,
        "on_retriever_failure": "answer",
        **arguments,
    }


async def ask(graph: Any, sync: bool) -> dict[str, Any]:
    result: dict[str, Any] = graph.invoke(QUESTION) if sync else await graph.ainvoke(QUESTION)
    return result


@ways
async def test_it_is_an_error_unless_the_user_says_otherwise(sync: bool) -> None:
    arguments = settings(retrieving(down), large=ScriptedChatModel([], label="l"))
    del arguments["on_retriever_failure"]
    with pytest.raises(TimeoutError, match="refused"):
        await ask(create_automix(**arguments), sync)


@ways
@pytest.mark.parametrize("tiers", [2, 3])
async def test_by_choice_the_last_model_answers_without_passages(
    sync: bool, tiers: int, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = settings(retrieving(down))
    small, large = arguments.pop("small"), arguments.pop("large")
    middle = [ScriptedChatModel([], label="m")] if tiers == 3 else []
    with caplog.at_level(logging.INFO):
        result = await ask(create_automix(tiers=[small, *middle, large], **arguments), sync)
    ended = {key: result[key] for key in ("answer", "route", "verdict", "confidence", "documents", "degraded")}
    assert ended == {
        "answer": LARGE,
        "route": "large",
        "verdict": "UNPARSED",
        "confidence": None,
        "documents": [],
        "degraded": True,
    }
    assert result["degraded_reason"] == "retriever failed: TimeoutError"
    assert [call["stage"] for call in result["usage"]["calls"]] == ["large_answer"]
    assert PROVIDER_WORDS not in repr(result) + caplog.text
    assert "the retriever failed: TimeoutError" in caplog.text


async def test_the_record_says_so() -> None:
    arguments = settings(retrieving(down))
    tiers = [arguments.pop("small"), ScriptedChatModel([], label="m"), arguments.pop("large")]
    *_, state = create_automix(tiers=tiers, **arguments).stream(QUESTION, stream_mode="values")
    record = Record.unseal(state["record"])
    assert (record.degraded, record.degraded_reason) == (True, "retriever failed: TimeoutError")
    assert (record.verifications[0].failure, record.verifications[1]) == ("retriever failed: TimeoutError", SKIPPED)
    (decision,) = record.decisions
    assert (decision.accept, decision.next_tier, decision.policy) == (False, -1, "on_retriever_failure")
    assert (record.route, len(record.passages), [draft.tier for draft in record.drafts]) == ("large", 0, ["large"])


def test_whoever_watches_is_told() -> None:
    graph = create_automix(**settings(retrieving(down)))
    events = list(graph.stream(QUESTION, stream_mode="custom"))
    assert events == [
        {"event": "retrieved", "passages": 0, "failure": "retriever failed: TimeoutError"},
        {"event": "escalated", "tier": "large"},
        {"event": "answer", "answer": LARGE, "route": "large", "degraded": True},
    ]
    streamed = create_automix(**settings(retrieving(down))).stream(QUESTION, stream_mode="messages")
    assert "".join(str(chunk.text) for chunk, _ in streamed) == LARGE  # type: ignore[union-attr,misc]  # pairs


@ways
async def test_without_the_last_model_there_is_no_answer(sync: bool) -> None:
    graph = create_automix(**settings(retrieving(down), large=ScriptedChatModel([ConnectionError("down")], label="l")))
    with pytest.raises(ModelCallError, match="large_answer"):
        await ask(graph, sync)


def test_the_next_question_of_the_thread_has_its_passages() -> None:
    found: list[Any] = [TimeoutError("down"), [Document(page_content="text")]]

    def next_one(_: str) -> Any:
        if isinstance(one := found.pop(0), Exception):
            raise one
        return one

    graph: Any = build_automix(
        **settings(
            retrieving(next_one),
            small=ScriptedChatModel([DRAFT], label="s"),
            verifier=ScriptedChatModel(["Correct"], label="j"),
        )
    ).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    first, second = (graph.invoke({"messages": [("user", text)]}, thread) for text in ("First?", "Second?"))
    assert (first["route"], first["degraded"]) == ("large", True)
    assert (second["route"], second["degraded"], second["degraded_reason"]) == ("small", False, None)


def test_a_mistake_in_code_is_raised_whatever_was_chosen() -> None:
    def mistaken(_: str) -> Any:
        raise NameError("serach")

    with pytest.raises(NameError):
        create_automix(**settings(retrieving(mistaken))).invoke(QUESTION)


# What takes too long.


class Hanging:
    """A retriever that answers when nobody waits any more, and notes when it is cancelled."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.cancelled = False

    def find(self, _: str) -> list[Document]:
        time.sleep(self.seconds)
        return []

    async def afind(self, _: str) -> list[Document]:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return []

    @property
    def retriever(self) -> Any:
        return RunnableLambda(self.find, afunc=self.afind)


@ways
async def test_one_that_hangs_is_given_up_and_leaves_time_for_an_answer(sync: bool) -> None:
    hanging = Hanging(1.5)
    graph = create_automix(**settings(hanging.retriever, limits=Limits(max_seconds=30, max_node_seconds=0.1)))
    began = time.perf_counter()
    result = await ask(graph, sync)
    assert time.perf_counter() - began < 1.0
    assert (result["answer"], result["degraded_reason"]) == (LARGE, "retriever failed: limit on node_seconds reached")
    assert hanging.cancelled is not sync


@ways
@pytest.mark.parametrize("limits", [Limits(max_seconds=0.1), Limits(max_node_seconds=0.1, on_reached="raise")])
async def test_without_time_or_by_choice_it_is_an_error(sync: bool, limits: Limits) -> None:
    graph = create_automix(**settings(Hanging(0.6).retriever, limits=limits, large=ScriptedChatModel([], label="l")))
    with pytest.raises(LimitReachedError, match=r"seconds=0\.1"):
        await ask(graph, sync)


# What it returns.

NESTED: dict[str, Any] = {}
NESTED["itself"] = NESTED
GARBAGE: dict[str, tuple[Any, str]] = {
    "nothing": (None, "returned NoneType"),
    "a text": ("a passage", "returned str"),
    "texts": (["a passage", "another"], "list with str in it"),
    "no text": ([Document.model_construct(page_content=None, metadata={})], "page_content is no text"),
    "ten megabytes": ([Document(page_content="x" * 10_000_000)], f"10000000 characters.*more than {LONGEST_CONTEXT}"),
    "endless metadata": ([Document(page_content="text", metadata=NESTED)], r"cannot be stored \(RecursionError\)"),
}


@ways
@pytest.mark.parametrize("name", GARBAGE)
async def test_what_cannot_be_read_is_a_failure_too(sync: bool, name: str) -> None:
    found, told = GARBAGE[name]
    refusing = settings(returning(found), on_retriever_failure="raise", large=ScriptedChatModel([], label="l"))
    with pytest.raises(ConfigurationError, match=told) as caught:
        await ask(create_automix(**refusing), sync)
    assert "a passage" not in str(caught.value)
    result = await ask(create_automix(**settings(returning(found))), sync)
    assert (result["answer"], result["degraded_reason"]) == (LARGE, "retriever failed: UnusableDocumentsError")


def read_from(documents: list[Document]) -> dict[str, Any]:
    graph = create_automix(
        small=FunctionChatModel(lambda prompt: str(prompt.count("passage")), label="s"),
        large=ScriptedChatModel(["Correct"], label="l"),
        retriever=returning(documents),
    )
    return graph.invoke(QUESTION)  # type: ignore[return-value]  # a TypedDict is a dict


def test_what_is_returned_twice_is_read_once() -> None:
    once = Document(id="1", page_content="one passage", metadata={"page": 1})
    elsewhere = Document(id="2", page_content="one passage")
    later = Document(id="1", page_content="one passage", metadata={"page": 2})
    result = read_from([once, once.model_copy(), elsewhere, once, later])
    assert [(document.id, document.metadata) for document in result["documents"]] == [
        ("1", {"page": 1}),
        ("2", {}),
        ("1", {"page": 2}),
    ]


def test_metadata_of_any_kind_become_json() -> None:
    odd = Document(page_content="a passage", metadata={("a", 1): 1, 2: {3: "x"}, "list": ({4: 5},)})  # type: ignore[dict-item]
    (document,) = read_from([odd])["documents"]
    assert document.metadata == {"('a', 1)": 1, "2": {"3": "x"}, "list": [{"4": 5}]}


@ways
async def test_nothing_found_is_no_failure(sync: bool) -> None:
    graph = create_automix(
        small=ScriptedChatModel([DRAFT], label="s"),
        large=ScriptedChatModel(["Incorrect", LARGE], label="l"),
        retriever=returning([]),
        on_retriever_failure="answer",
    )
    result = await ask(graph, sync)
    assert (result["answer"], result["documents"], result["degraded"]) == (LARGE, [], False)


def test_another_choice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'ignore'; use 'raise' or 'answer'"):
        create_automix(**settings(retrieving(down), on_retriever_failure="ignore"))
    assert issubclass(UnusableDocumentsError, AutomixError)
