"""Answers and verifications that are kept: found again, given like any other, and charged to nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answer_cache_scene import Models, ask, outcome, ways
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache
from scene import DRAFT, LARGE, QUESTION

from automix_graph.costs import Limits
from automix_graph.errors import ConfigurationError
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.testing import FunctionChatModel, ScriptedReply
from automix_graph.verification import AnswerConfidence


@ways
@pytest.mark.parametrize(("judged", "calls"), [("Correct", (1, 1, 0)), ("Incorrect", (1, 1, 1))])
async def test_the_same_question_is_answered_from_the_cache(
    answer_store: BaseCache[Any], sync: bool, judged: str, calls: tuple[int, int, int]
) -> None:
    models = Models(judged=judged)
    graph = models.graph(answer_store)
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert models.asked == calls
    assert outcome(first) == outcome(second)
    assert [call["cached"] for call in first["usage"]["calls"]] == [False] * sum(calls)
    assert [call["cached"] for call in second["usage"]["calls"]] == [True] * sum(calls)
    assert [call["stage"] for call in first["usage"]["calls"]] == [call["stage"] for call in second["usage"]["calls"]]


def test_what_the_cache_gives_costs_nothing_and_is_compared_with_the_same() -> None:
    models = Models(judged="Incorrect")
    graph = models.graph(InMemoryCache())
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    # 110 tokens each: small and judge at $1 per million, large at $10.
    assert first["cost"] == pytest.approx(110e-6 * 12)
    assert second["cost"] == 0.0
    usage = second["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["calls_without_usage"]) == (0, 0, 0)
    assert usage["always_large_cost"] == first["usage"]["always_large_cost"] == pytest.approx(1100e-6)
    assert usage["always_large_estimated"] is False
    assert usage["saved"] == pytest.approx(1100e-6)
    # The tokens are those of the call that filled the cache.
    assert [call["input_tokens"] for call in usage["calls"]] == [100, 100, 100]


def test_an_accepted_answer_from_the_cache_has_the_same_estimate_of_the_large_model() -> None:
    graph = Models().graph(InMemoryCache())
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    assert second["usage"]["always_large_cost"] == first["usage"]["always_large_cost"] == pytest.approx(1100e-6)


def test_what_is_cached_takes_nothing_of_the_limits() -> None:
    store = InMemoryCache[Any]()
    models = Models(judged="Incorrect")
    models.graph(store).invoke(QUESTION)
    result = models.graph(store, limits=Limits(max_calls=1, max_cost=1e-9)).invoke(QUESTION)
    assert (result["answer"], result["degraded"], models.asked) == (LARGE, False, (1, 1, 1))


async def test_a_cache_outlives_the_process(tmp_path: Path) -> None:
    for number in range(2):
        models, store = Models(), SqliteCache[Any](path=str(tmp_path / "cache.sqlite"))
        result = await ask(models.graph(AnswerCache(store=store)), sync=bool(number))
        store._conn.close()
        assert outcome(result) == (DRAFT, "small", "CORRECT", 1.0, False)
        assert models.asked == ((1, 1, 0) if number == 0 else (0, 0, 0))


@pytest.mark.parametrize("judged", ["Correct", "Incorrect"])
def test_a_cached_answer_is_streamed_like_any_other(judged: str) -> None:
    graph = Models(judged=judged).graph(InMemoryCache())
    for _ in range(2):
        parts = list(graph.stream(QUESTION, stream_mode="messages"))
        assert "".join(str(chunk.text) for chunk, _ in parts) == (DRAFT if judged == "Correct" else LARGE)
        assert len(parts) > 1


def test_log_probabilities_are_kept_with_the_answer() -> None:
    said = ScriptedReply(text=DRAFT, logprobs=(("the", -0.25), (" rest", -0.5)))
    small = FunctionChatModel(lambda _: said, label="s")
    graph = Models().graph(InMemoryCache(), small=small, verifier=AnswerConfidence(), prices=None)
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    assert (len(small.prompts), first["confidence"]) == (1, second["confidence"])
    assert first["confidence"] is not None


@ways
async def test_speculation_asks_nobody_about_what_is_known(sync: bool) -> None:
    models = Models(judged="Incorrect")
    graph = models.graph(InMemoryCache(), speculative=True)
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["answer"], second["answer"], models.asked, second["cost"]) == (LARGE, LARGE, (1, 1, 1), 0.0)


def test_what_is_no_cache_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cache is \{\}; give a cache of LangGraph"):
        Models().graph({})
    with pytest.raises(ConfigurationError, match="whole number above 0"):
        AnswerCache(store=InMemoryCache(), seconds=0)


def test_what_is_kept_for_some_time_is_asked_for_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int | None] = []

    class Noting(InMemoryCache[Any]):
        def set(self, keys: Any) -> None:
            seen.extend(seconds for _, seconds in keys.values())
            super().set(keys)

    Models().graph(AnswerCache(store=Noting(), seconds=60)).invoke(QUESTION)
    assert seen == [60, 60]
