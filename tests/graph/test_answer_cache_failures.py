"""Failures and the cache of answers: what failed is not kept, and a store that fails fails no question."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from answer_cache_scene import Models, ask, failing_once, outcome, reply, ways
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from scene import DRAFT, LARGE, QUESTION

from automix_graph import ModelTier
from automix_graph.graph import create_automix
from automix_graph.models.retrying import Retries
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Votes


@ways
@pytest.mark.parametrize(
    "failure", [ConnectionError("down"), "", ScriptedReply(text="Half a sen", finish_reason="length")]
)
async def test_an_answer_that_failed_or_was_cut_off_is_asked_for_again(sync: bool, failure: Any) -> None:
    models = Models(judged="Correct")
    models.small = FunctionChatModel(failing_once(DRAFT, failure), label="s")
    graph = models.graph(InMemoryCache())
    await ask(graph, sync)
    result = await ask(graph, sync)
    assert (result["answer"], result["route"], len(models.small.prompts)) == (DRAFT, "small", 2)


@ways
@pytest.mark.parametrize("failure", [ConnectionError("down"), "I cannot say"])
async def test_a_verification_without_a_verdict_is_made_again(sync: bool, failure: Any) -> None:
    models = Models()
    models.judge = FunctionChatModel(failing_once("Correct", failure), label="j")
    graph = models.graph(InMemoryCache())
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["route"], first["verdict"]) == ("large", "UNPARSED")
    assert (second["route"], second["verdict"], len(models.judge.prompts)) == ("small", "CORRECT", 2)


def test_votes_of_which_a_call_failed_are_drawn_again() -> None:
    judge = FunctionChatModel(failing_once("Correct", ConnectionError("down")), label="j")
    graph = Models().graph(InMemoryCache(), verifier=Votes(judge=judge, samples=3))
    results = [graph.invoke(QUESTION) for _ in range(3)]
    assert [result["route"] for result in results] == ["small"] * 3
    assert len(judge.prompts) == 6


@ways
async def test_a_degraded_outcome_is_not_kept(sync: bool) -> None:
    models = Models(judged="Incorrect", large=failing_once(LARGE, ConnectionError("down")))
    graph = models.graph(InMemoryCache())
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["answer"], first["degraded"]) == (DRAFT, True)
    assert (second["answer"], second["degraded"], models.asked) == (LARGE, False, (1, 1, 2))


@ways
async def test_an_answer_without_passages_is_not_kept_when_the_retriever_failed(sync: bool) -> None:
    def down(_: str) -> list[Document]:
        raise TimeoutError("down")

    models = Models()
    graph = models.graph(InMemoryCache(), retriever=RunnableLambda(down), on_retriever_failure="answer")
    for _ in range(2):
        assert (await ask(graph, sync))["degraded"] is True
    assert models.asked == (0, 0, 2)


def test_the_answer_of_a_fallback_is_not_kept() -> None:
    spare = FunctionChatModel(lambda _: reply("spare"), label="spare")
    small = FunctionChatModel(failing_once(DRAFT, ConnectionError("down")), label="s")
    models = Models()
    graph = create_automix(
        tiers=[ModelTier(model=small, fallbacks=[spare]), models.large],
        verifier=models.judge,
        retriever=StaticRetriever(["A passage."]),
        retries=Retries(attempts=1, opens_after=None),
        cache=InMemoryCache(),
    )
    assert [graph.invoke(QUESTION)["answer"] for _ in range(3)] == ["spare", DRAFT, DRAFT]
    assert (len(spare.prompts), len(small.prompts)) == (1, 2)


class Broken(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        raise OSError("disk: a secret path")

    def set(self, keys: Any) -> None:
        raise OSError("disk: a secret path")


class Scrambled(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        return dict.fromkeys(keys, '{"schema_version": 1, "drafts": "no"}')


@ways
@pytest.mark.parametrize("kind", [Broken, Scrambled])
async def test_a_store_that_fails_fails_no_question(
    sync: bool, kind: type[InMemoryCache[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    models = Models()
    graph = models.graph(kind())
    with caplog.at_level(logging.WARNING):
        results = [await ask(graph, sync) for _ in range(2)]
    assert [outcome(result) for result in results] == [(DRAFT, "small", "CORRECT", 1.0, False)] * 2
    assert models.asked == (2, 2, 0)
    assert "the cache of answers failed" in caplog.text
    assert "secret" not in caplog.text
