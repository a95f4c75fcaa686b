"""Ceilings on what a question may cost, and what becomes of one that reaches them."""

import asyncio
import time
from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from scene import DRAFT, LARGE, QUESTION

from automix_graph.costs import Limits
from automix_graph.errors import AutomixError, ConfigurationError, LimitReachedError, ModelCallError
from automix_graph.graph import create_automix
from automix_graph.models import NamedModel, Retries
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Votes

PRICES = {"s": (1.0, 1.0), "j": (1.0, 1.0), "l": (10.0, 10.0)}


def replying(text: str, tokens: int = 10) -> ScriptedReply:
    return ScriptedReply(text=text, usage=(tokens, 1))


def graph_of(limits: Limits, *, judged: str = "Incorrect", **arguments: Any) -> Any:
    return create_automix(
        **{
            "small": FunctionChatModel(lambda _: replying(DRAFT), label="s"),
            "large": FunctionChatModel(lambda _: replying(LARGE), label="l"),
            "verifier": FunctionChatModel(lambda _: replying(judged), label="j"),
            "retriever": StaticRetriever(["text"]),
            "prices": PRICES,
            "limits": limits,
            **arguments,
        }
    )


def stages(result: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(call["stage"], call["error"]) for call in result["usage"]["calls"]]


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_call_too_many_is_not_made(way: str) -> None:
    graph = graph_of(Limits(max_calls=2))
    result = graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)
    assert (result["answer"], result["route"], result["degraded"]) == (DRAFT, "small", True)
    assert result["degraded_reason"] == "limit on calls reached"
    assert stages(result) == [("small_answer", None), ("verify", None), ("large_answer", "limit on calls reached")]
    # What was not made costs nothing.
    assert result["cost"] == pytest.approx(22e-6)


def test_a_draft_that_cannot_be_judged_is_not_kept() -> None:
    result = graph_of(Limits(max_calls=1), judged="Correct").invoke(QUESTION)
    assert (result["route"], result["verdict"], result["degraded"]) == ("small", "UNPARSED", True)
    assert stages(result)[1:] == [("verify", "limit on calls reached"), ("large_answer", "limit on calls reached")]


def test_within_the_limits_nothing_changes() -> None:
    result = graph_of(Limits(max_calls=3, max_cost=1.0, max_seconds=60)).invoke(QUESTION)
    assert (result["answer"], result["route"], result["degraded"], result["degraded_reason"]) == (
        LARGE,
        "large",
        False,
        None,
    )


def test_votes_count_one_by_one() -> None:
    judge = FunctionChatModel(lambda _: replying("Correct"), label="j")
    result = graph_of(Limits(max_calls=4), verifier=Votes(judge=judge, samples=5, quorum=3)).invoke(QUESTION)
    assert sum(error is None for stage, error in stages(result) if stage == "verify") == 3
    assert result["route"] == "small"


def test_the_worst_case_of_a_call_counts_not_what_it_cost() -> None:
    # The large model may write 2048 tokens at $10 per million: two cents and a half, whatever it does write.
    result = graph_of(Limits(max_cost=0.02)).invoke(QUESTION)
    assert stages(result)[-1] == ("large_answer", "limit on cost reached")
    assert graph_of(Limits(max_cost=0.03)).invoke(QUESTION)["route"] == "large"
    assert graph_of(Limits(max_cost=0.02, assumed_output_tokens=1000)).invoke(QUESTION)["route"] == "large"


def test_a_cap_of_the_model_is_its_worst_case() -> None:
    capped = FunctionChatModel(lambda _: replying(LARGE), label="l")
    object.__setattr__(capped, "max_tokens", 100)
    assert graph_of(Limits(max_cost=0.008), large=capped).invoke(QUESTION)["route"] == "large"


def test_the_limits_hold_for_all_nodes_together() -> None:
    # What was spent before counts as it was charged: 2 cents and a half for the large model are left of three.
    assert graph_of(Limits(max_cost=0.0259)).invoke(QUESTION)["route"] == "large"
    expensive = FunctionChatModel(lambda _: replying(DRAFT, tokens=10_000), label="s")
    result = graph_of(Limits(max_cost=0.0259), small=expensive).invoke(QUESTION)
    assert result["degraded_reason"] == "limit on cost reached"


class Slow(FunctionChatModel):
    """Takes its time, and notes when it is cancelled."""

    async def _agenerate(self, *arguments: Any, **options: Any) -> Any:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            CANCELLED.append(self.label)
            raise
        raise AssertionError("nobody waited so long")

    def _generate(self, *arguments: Any, **options: Any) -> Any:
        time.sleep(2)
        return super()._generate(*arguments, **options)


CANCELLED: list[str] = []


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_model_that_takes_too_long_is_given_up(way: str) -> None:
    CANCELLED.clear()
    graph = graph_of(Limits(max_seconds=0.3), large=Slow(lambda _: LARGE, label="l"))
    started = time.perf_counter()
    result = graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)
    assert time.perf_counter() - started < 1.9
    assert (result["answer"], result["degraded_reason"]) == (DRAFT, "limit on seconds reached")
    # It was asked, and nobody knows what that costs.
    assert result["cost"] is None
    assert (["l"] if way == "async" else []) == CANCELLED


@pytest.mark.parametrize("limits", [Limits(max_node_seconds=0.2), Limits(max_seconds=0.2)])
@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_model_that_is_given_up_again_and_again_is_asked_no_more(way: str, limits: Limits) -> None:
    slow = NamedModel(label="s", model=Slow(lambda _: DRAFT, label="s"), retries=Retries(attempts=1, opens_after=2))
    graph = graph_of(limits, small=slow)
    errors = []
    for _ in range(3):
        try:
            result = graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)
            errors.append(result["usage"]["calls"][0]["error"])
        except ModelCallError as error:  # no time is left for the large model
            errors.append(error.calls[0].error)
    assert "limit" in errors[0]
    assert "limit" in errors[1]
    assert errors[2] == "circuit open"
    assert slow.breaker is not None
    assert slow.breaker.state == "open"


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_slow_judge_leaves_no_time_for_the_large_model(way: str) -> None:
    graph = graph_of(Limits(max_seconds=0.3), verifier=Slow(lambda _: "Correct", label="j"))
    result = graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)
    assert (result["route"], result["verdict"], result["degraded"]) == ("small", "UNPARSED", True)
    assert [error for _, error in stages(result)] == [None, *["limit on seconds reached"] * 2]


class SlowRetriever(BaseRetriever):
    def _get_relevant_documents(self, query: str, **arguments: Any) -> Any:
        time.sleep(0.5)
        return []

    async def _aget_relevant_documents(self, query: str, **arguments: Any) -> Any:
        await asyncio.sleep(5)


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_retriever_that_takes_too_long_is_given_up(way: str) -> None:
    graph = graph_of(Limits(max_seconds=0.1), retriever=SlowRetriever())
    with pytest.raises(LimitReachedError, match=r"max_seconds=0\.1"):
        graph.invoke(QUESTION) if way == "sync" else await graph.ainvoke(QUESTION)


def test_reaching_a_limit_can_be_an_error() -> None:
    with pytest.raises(LimitReachedError, match="max_calls=2") as caught:
        graph_of(Limits(max_calls=2, on_reached="raise")).invoke(QUESTION)
    assert (caught.value.limit, caught.value.made) == ("calls", False)
    assert graph_of(Limits(max_calls=2, on_reached="raise"), judged="Correct").invoke(QUESTION)["route"] == "small"


def test_without_any_answer_it_is_an_error() -> None:
    with pytest.raises(AutomixError, match="limit reached"):
        graph_of(Limits(max_cost=1e-9)).invoke(QUESTION)


@pytest.mark.parametrize(
    "arguments",
    [{"max_cost": 0}, {"max_calls": 1.5}, {"max_calls": True}, {"max_seconds": float("inf")}, {"on_reached": "stop"}],
)
def test_limits_that_cannot_be_used_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Limits(**arguments)


def test_a_ceiling_on_cost_needs_prices() -> None:
    with pytest.raises(ConfigurationError, match=r"no price is known for 'l'.*--price MODEL=INPUT/OUTPUT or prices="):
        graph_of(Limits(max_cost=1), prices={"s": (1, 1), "j": (1, 1)})
    assert graph_of(Limits(max_calls=9), prices=None).invoke(QUESTION)["cost"] is None
