"""The last model begins while the judge reads, where that was asked for."""

import asyncio
import threading
import time
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, LARGE, QUESTION

from automix_graph.costs import Limits
from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix, create_automix
from automix_graph.graph.ahead import CANCELLED
from automix_graph.records import Record
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import FunctionVerifier

PRICES = {"s": (1.0, 1.0), "j": (1.0, 1.0), "l": (10.0, 10.0)}


class Slow(FunctionChatModel):
    """Takes a while for each reply."""

    seconds: float = 0.2
    cancelled: bool = False
    asked_at: float = 0.0

    async def _agenerate(self, messages: Any, *arguments: Any, **options: Any) -> Any:
        self.asked_at = time.perf_counter()
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return super()._generate(messages, **options)

    def _generate(self, messages: Any, *arguments: Any, **options: Any) -> Any:
        self.asked_at = time.perf_counter()
        time.sleep(self.seconds)
        return super()._generate(messages, **options)


def slow(text: str, label: str, seconds: float = 0.2) -> Slow:
    model = Slow(lambda _: ScriptedReply(text=text, usage=(10, 1)), label=label)
    model.seconds = seconds
    return model


def graph_of(judged: str, *, large: Any = None, judge_seconds: float = 0.2, **arguments: Any) -> Any:
    return create_automix(
        small=FunctionChatModel(lambda _: ScriptedReply(text=DRAFT, usage=(10, 1)), label="s"),
        large=large or slow(LARGE, "l"),
        retriever=StaticRetriever(["text"]),
        prices=PRICES,
        **{"speculative": True, "verifier": slow(judged, "j", judge_seconds), **arguments},
    )


async def run(graph: Any, way: str) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    result = graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)
    return result, time.perf_counter() - started


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_the_large_model_answers_while_the_judge_reads(way: str) -> None:
    judge, large = slow("Incorrect", "j"), slow(LARGE, "l")
    result, _ = await run(graph_of("", verifier=judge, large=large), way)
    assert abs(large.asked_at - judge.asked_at) < judge.seconds
    assert (result["answer"], result["route"], result["degraded"]) == (LARGE, "large", False)
    assert [call["stage"] for call in result["usage"]["calls"]] == ["small_answer", "verify", "large_answer"]
    assert result["cost"] == pytest.approx((11 + 11 + 110) * 1e-6)
    plain, _ = await run(graph_of("", verifier=judge, large=large, speculative=False), way)
    assert large.asked_at - judge.asked_at >= judge.seconds
    assert plain["cost"] == result["cost"]


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_kept_draft_cancels_the_call_and_its_cost_is_unknown(way: str) -> None:
    large = slow(LARGE, "l", 2.0)
    result, seconds = await run(graph_of("Correct", large=large), way)
    assert (result["answer"], result["route"]) == (DRAFT, "small")
    assert seconds < large.seconds
    assert [(call["stage"], call["error"]) for call in result["usage"]["calls"]][-1] == ("large_answer", CANCELLED)
    assert result["cost"] is None
    assert result["usage"]["cost_at_least"] == pytest.approx(22e-6)
    await asyncio.sleep(0)
    assert large.cancelled == (way == "async")


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_call_that_had_ended_is_charged_as_it_is(way: str) -> None:
    result, _ = await run(graph_of("Correct", large=slow(LARGE, "l", 0.0), judge_seconds=0.3), way)
    assert result["route"] == "small"
    assert result["cost"] == pytest.approx((11 + 11 + 110) * 1e-6)
    assert not result["usage"]["always_large_estimated"]


async def test_no_byte_of_what_was_begun_leaves_where_the_draft_is_kept() -> None:
    graph = graph_of("Correct", large=slow(LARGE, "l", 0.0), judge_seconds=0.2)
    modes = ["values", "updates", "messages", "custom", "tasks", "debug"]
    parts = [part async for part in graph.astream(QUESTION, stream_mode=modes)]
    assert DRAFT in repr(parts)
    assert LARGE not in repr(parts)


async def test_an_escalated_answer_is_streamed_in_pieces() -> None:
    parts = [part async for part in graph_of("Incorrect").astream(QUESTION, stream_mode="messages")]
    assert [message.text for message, _ in parts if message.text] == ["the", " LARGE", " answer"]


async def test_a_failure_of_what_was_begun_degrades() -> None:
    down = ScriptedChatModel([ConnectionError("down")], label="l")
    result, _ = await run(graph_of("Incorrect", large=down), "async")
    assert (result["answer"], result["degraded"]) == (DRAFT, True)


def test_a_graph_that_is_resumed_elsewhere_asks_again() -> None:
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}

    def build(large: list[Any]) -> Any:
        return build_automix(
            small=ScriptedChatModel([DRAFT], label="s"),
            large=ScriptedChatModel(large, label="l"),
            verifier=ScriptedChatModel(["Incorrect"], label="j"),
            retriever=StaticRetriever(["text"]),
            speculative=True,
        ).compile(checkpointer=saver, interrupt_before=["large_answer"])

    build(["lost with its process"]).invoke(QUESTION, thread)
    again = build([LARGE])
    assert again.invoke(None, thread)["answer"] == LARGE
    assert Record.unseal(again.get_state(thread).values["record"]).drafts[-1].text == LARGE


def test_limits_hold_for_what_is_begun() -> None:
    result = graph_of("Incorrect", limits=Limits(max_calls=2)).invoke(QUESTION)
    assert sum(call["error"] is None for call in result["usage"]["calls"]) == 2


async def test_who_gives_up_while_the_judge_reads_leaves_no_call_behind() -> None:
    judge, large = slow("Incorrect", "j", 5.0), slow(LARGE, "l", 5.0)
    asking = asyncio.create_task(graph_of("", verifier=judge, large=large).ainvoke(QUESTION))
    while not (judge.asked_at and large.asked_at):
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)
    assert judge.cancelled and large.cancelled


async def test_what_was_begun_is_cancelled_where_a_mistake_ends_the_question() -> None:
    large = slow(LARGE, "l", 5.0)

    async def judge(case: Any) -> float:
        while not large.asked_at:
            await asyncio.sleep(0.01)
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        await graph_of("", verifier=FunctionVerifier(function=judge), large=large).ainvoke(QUESTION)
    await asyncio.sleep(0)
    assert large.cancelled


def test_nothing_is_left_running() -> None:
    before = threading.active_count()
    graph_of("Incorrect").invoke(QUESTION)
    deadline = time.perf_counter() + 2
    while threading.active_count() > before and time.perf_counter() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_person_cannot_think_while_it_runs() -> None:
    with pytest.raises(ConfigurationError, match="review and speculative"):
        graph_of("Incorrect", review=["escalate"])
