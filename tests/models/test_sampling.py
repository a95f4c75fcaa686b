"""Draws: their requests at one time or one by one, and draws that are watched, cached or failed."""

from __future__ import annotations

from typing import Any

import pytest
from draw_server import Server, both_doors, drawn_by
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from openai_api import openai_model

from automix_graph.testing import FunctionChatModel, ScriptedChatModel


class OneChoice(ChatOpenAI):
    most_choices: int = 1


class OneRequest(ChatOpenAI):
    most_choices: int = 1
    most_requests: int = 1


@both_doors
async def test_any_other_failure_is_a_failed_draw(door: str, server: Server, served: ChatOpenAI) -> None:
    server.choices, server.status = lambda n: 0, 429
    drawn = await drawn_by(door, served, count=3)
    assert server.sizes == [3]
    assert [reply.error.status for reply in drawn.replies if reply.error] == [429] * 3
    assert [call.error for call in drawn.calls] == ["OpenAIRateLimitError (429)"]


@both_doors
async def test_single_requests_that_are_refused_end(door: str, server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: 0
    drawn = await drawn_by(door, served, count=3)
    assert server.sizes == [3, 1, 1, 1]
    assert all(reply.error and not reply.text for reply in drawn.replies)


@both_doors
async def test_single_requests_run_at_one_time(door: str, server: Server, served: ChatOpenAI) -> None:
    server.together = 12
    drawn = await drawn_by(door, openai_model(served.openai_api_base, OneChoice), count=12)
    assert server.sizes == [1] * 12
    assert (len(drawn.replies), server.most_busy) == (12, 12)


@both_doors
async def test_the_config_bounds_the_requests_at_one_time(door: str, server: Server, served: ChatOpenAI) -> None:
    server.together = 2
    single = openai_model(served.openai_api_base, OneChoice)
    drawn = await drawn_by(door, single, count=6, config=RunnableConfig(max_concurrency=2))
    assert (len(drawn.replies), server.most_busy) == (6, 2)


@both_doors
async def test_a_model_may_limit_the_requests_at_one_time(door: str, server: Server, served: ChatOpenAI) -> None:
    drawn = await drawn_by(door, openai_model(served.openai_api_base, OneRequest), count=5)
    assert (len(drawn.replies), len(drawn.calls), server.most_busy) == (5, 5, 1)


class Watching(BaseCallbackHandler):
    def __init__(self) -> None:
        self.started: list[tuple[Any, Any]] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.started.append((kwargs.get("tags"), (kwargs.get("metadata") or {}).get("who")))


@both_doors
async def test_callbacks_see_each_request(door: str) -> None:
    seen = Watching()
    config = RunnableConfig(callbacks=[seen], tags=["judging"], metadata={"who": "me"})
    await drawn_by(door, ScriptedChatModel(["a", "b"]), count=2, config=config)
    assert seen.started == [(["judging"], "me")] * 2


@both_doors
async def test_a_model_without_n_is_asked_once_a_reply(door: str) -> None:
    model = ScriptedChatModel(["a", TimeoutError("slow"), "c"], label="judge")
    drawn = await drawn_by(door, model, count=3, config=RunnableConfig(max_concurrency=1))
    model.assert_consumed()
    assert [reply.text for reply in drawn.replies] == ["a", "", "c"]
    assert [call.error for call in drawn.calls] == [None, "TimeoutError", None]


@both_doors
async def test_a_cache_does_not_turn_one_reply_into_all(door: str) -> None:
    replies = iter("abcdef")
    model = FunctionChatModel(lambda prompt: next(replies)).model_copy(update={"cache": InMemoryCache()})
    for _ in range(2):
        drawn = await drawn_by(door, model, count=3, config=RunnableConfig(max_concurrency=1))
        assert len({reply.text for reply in drawn.replies}) == 3
    assert next(replies, None) is None


@both_doors
async def test_a_mistake_in_code_is_no_failed_draw(door: str) -> None:
    with pytest.raises(AssertionError, match="not in the script"):
        await drawn_by(door, ScriptedChatModel(["a"]), count=2)
