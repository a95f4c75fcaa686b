"""LangChain caches of replies under a graph: nobody pays twice, votes stay samples, useless replies are left."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import get_llm_cache, set_llm_cache

from automix_graph.graph import create_automix
from automix_graph.models.retrying import ONCE, Retries
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Likelihood, ReasonedVerdict, ShortVerdict, TokenProbability, Votes

QUESTION: Any = {"question": "What is it?"}
PRICES = {"s": (1.0, 1.0), "j": (1.0, 1.0), "l": (10.0, 10.0)}
ways = pytest.mark.parametrize("sync", [True, False])


@pytest.fixture(autouse=True)
def cached_everywhere() -> Iterator[None]:
    before = get_llm_cache()
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(before)


def reply(text: str, **fields: Any) -> ScriptedReply:
    return ScriptedReply(text=text, usage=(100, 10), **fields)


def graph_of(small: Any, verifier: Any, large: Any, **arguments: Any) -> Any:
    return create_automix(
        small=small, verifier=verifier, large=large, retriever=StaticRetriever(["A passage."]), **arguments
    )


async def ask(graph: Any, sync: bool) -> dict[str, Any]:
    result: dict[str, Any] = graph.invoke(QUESTION) if sync else await graph.ainvoke(QUESTION)
    return result


@ways
async def test_a_cached_reply_is_not_charged_again(sync: bool) -> None:
    models = [
        FunctionChatModel(lambda _, text=text: reply(text), label=label)  # type: ignore[misc]  # bound early
        for label, text in (("s", "draft"), ("j", "Incorrect"), ("l", "answer"))
    ]
    graph = graph_of(*models, prices=PRICES)
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert first["cost"] == pytest.approx(110e-6 * 12)
    assert (second["answer"], second["route"], second["cost"]) == ("answer", "large", 0.0)
    assert [call["cached"] for call in first["usage"]["calls"]] == [False] * 3
    assert [call["cached"] for call in second["usage"]["calls"]] == [True] * 3
    assert second["usage"]["always_large_cost"] == first["usage"]["always_large_cost"] == pytest.approx(1100e-6)
    assert second["usage"]["input_tokens"] == 0
    assert [len(model.prompts) for model in models] == [1, 1, 1]


@ways
async def test_votes_are_samples_and_never_the_same_reply_again(sync: bool) -> None:
    judge = ScriptedChatModel(["Correct", "Incorrect", "Correct", "Correct", "Incorrect", "Incorrect"], label="j")
    small = ScriptedChatModel(["draft"], label="s")  # from the cache the second time
    graph = graph_of(small, Votes(judge=judge, samples=3), ScriptedChatModel(["answer"], label="l"))
    first, second = await ask(graph, sync), await ask(graph, sync)
    judge.assert_consumed()
    assert (first["confidence"], second["confidence"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert not any(call["cached"] for call in second["usage"]["calls"] if call["stage"] == "verify")


@ways
async def test_votes_pass_by_a_cache_of_the_model_itself(sync: bool) -> None:
    judge = ScriptedChatModel(["Correct", "Incorrect", "Incorrect"], label="j")
    judge.cache = InMemoryCache()
    graph = graph_of(
        ScriptedChatModel(["draft"], label="s"),
        Votes(judge=judge, samples=3),
        ScriptedChatModel(["answer"], label="l"),
    )
    assert (await ask(graph, sync))["confidence"] == pytest.approx(1 / 3)
    judge.assert_consumed()


SCORED = reply("draft", logprobs=(("draft", -0.1),))
JUDGES = {
    "short": (ShortVerdict, reply("Correct")),
    "reasoned": (ReasonedVerdict, reply("It says so.\nCorrect")),
    "probability": (TokenProbability, reply("Correct", token_probabilities=(("Correct", 0.9), ("Incorrect", 0.1)))),
    "likelihood": (lambda judge: Likelihood(judge=judge, scoring="forced"), SCORED),
}


@pytest.mark.parametrize("name", JUDGES)
def test_a_verdict_from_the_cache_is_the_same_verdict(name: str) -> None:
    kind, said = JUDGES[name]
    judge = ScriptedChatModel([said], label="j")
    graph = graph_of(ScriptedChatModel(["draft"], label="s"), kind(judge=judge), ScriptedChatModel([], label="l"))
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    assert (first["route"], first["verdict"]) == ("small", "CORRECT")
    assert (second["verdict"], second["confidence"]) == (first["verdict"], first["confidence"])
    assert [call["cached"] for call in second["usage"]["calls"]] == [True, True]


@ways
@pytest.mark.parametrize("retries", [ONCE, Retries(attempts=2, first_wait=0.0)])
@pytest.mark.parametrize("useless", ["", reply("Half", finish_reason="content_filter")])
async def test_a_useless_reply_in_the_cache_is_asked_for_anew(sync: bool, retries: Retries, useless: Any) -> None:
    small = ScriptedChatModel(
        [useless, useless, "draft"] if retries is not ONCE and useless == "" else [useless, "draft"]
    )
    graph = graph_of(small, ScriptedChatModel(["Correct"]), ScriptedChatModel(["answer"]), retries=retries)
    results = [await ask(graph, sync) for _ in range(2)]
    assert (results[-1]["answer"], results[-1]["route"]) == ("draft", "small")
    small.assert_consumed()


def test_a_limit_of_time_does_not_spoil_the_key() -> None:
    from automix_graph.costs import Limits

    small = ScriptedChatModel(["draft"], label="s")
    graph = graph_of(
        small, ScriptedChatModel(["Correct"]), ScriptedChatModel([], label="l"), limits=Limits(max_seconds=60)
    )
    assert [graph.invoke(QUESTION)["route"] for _ in range(2)] == ["small", "small"]
    assert small.options == [{}]
