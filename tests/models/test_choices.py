"""How many replies one request is asked for, against servers that can give several, and that cannot."""

from __future__ import annotations

import gc
import weakref

import pytest
from draw_server import Server, both_doors, drawn_by
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openai_api import openai_model

from automix_graph.models import choices
from automix_graph.models.choices import most_choices


class FourChoices(ChatOpenAI):
    most_choices: int = 4


@both_doors
async def test_one_request_where_the_server_can(door: str, server: Server, served: ChatOpenAI) -> None:
    drawn = await drawn_by(door, served, options={"temperature": 0.7, "max_tokens": 5})
    assert server.sizes == [8]
    assert [reply.text for reply in drawn.replies] == [f"reply {index}" for index in range(8)]
    (call,) = drawn.calls
    assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 16)
    assert all(reply.call is call for reply in drawn.replies)
    assert server.requests[0]["temperature"] == 0.7
    assert server.requests[0]["max_completion_tokens"] == 5
    assert served.temperature is None


@both_doors
async def test_what_a_server_leaves_out_is_asked_for_again(door: str, server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: min(n, 3)
    drawn = await drawn_by(door, served)
    assert sorted(server.sizes) == [2, 3, 8]
    assert len(drawn.replies) == 8
    assert [call.usage.output_tokens for call in drawn.calls] == [6, 6, 4]


@both_doors
async def test_a_server_that_ignores_n_is_asked_one_by_one_at_one_time(
    door: str, server: Server, served: ChatOpenAI
) -> None:
    server.choices = lambda n: 1
    drawn = await drawn_by(door, served)
    assert server.sizes == [8] + [1] * 7
    assert (len(drawn.replies), len(drawn.calls)) == (8, 8)
    assert sum(call.usage.input_tokens or 0 for call in drawn.calls) == 80


async def test_choices_beyond_what_was_asked_for_are_no_draws(server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: n + 1
    drawn = await drawn_by("sync", served, count=2)
    assert len(drawn.replies) == 2
    assert drawn.calls[0].usage.output_tokens == 6


async def test_fewer_choices_than_asked_for_are_no_refusal(server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: min(n, 3)
    await drawn_by("sync", served, count=4)
    server.requests.clear()
    await drawn_by("sync", served, count=3)
    assert server.sizes == [3]


@both_doors
@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_n_is_followed_by_single_requests(
    door: str, status: int, server: Server, served: ChatOpenAI
) -> None:
    server.choices, server.status = lambda n: int(n == 1), status
    drawn = await drawn_by(door, served, count=4)
    assert server.sizes == [4, 1, 1, 1, 1]
    assert [reply.error for reply in drawn.replies] == [None] * 4
    assert [call.error is None for call in drawn.calls] == [False, True, True, True, True]


@both_doors
@pytest.mark.parametrize(("given", "first"), [(0, [4, 1, 1, 1, 1]), (1, [4, 1, 1, 1])])
async def test_a_server_that_has_no_n_is_asked_for_it_once(
    door: str, given: int, first: list[int], server: Server, served: ChatOpenAI
) -> None:
    server.choices = lambda n: 1 if n == 1 else given
    await drawn_by(door, served, count=4)
    assert server.sizes == first
    server.requests.clear()
    server.together = 4
    drawn = await drawn_by(door, served, count=4)
    assert server.sizes == [1] * 4
    assert len(drawn.replies) == 4
    server.requests.clear()
    server.together = 1
    await drawn_by(door, openai_model(served.openai_api_base), count=4)
    assert server.sizes == first


async def test_a_refusal_of_single_requests_too_says_nothing_about_n(server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: 0
    await drawn_by("sync", served, count=2)
    server.requests.clear()
    server.choices = lambda n: n
    await drawn_by("sync", served, count=2)
    assert server.sizes == [2]


async def test_what_is_known_of_a_model_ends_with_it(server: Server, served: ChatOpenAI) -> None:
    server.choices = lambda n: int(n == 1)
    passing = openai_model(served.openai_api_base)
    await drawn_by("sync", passing, count=2)
    assert most_choices(passing, 2) == 1
    known, end = id(passing), weakref.ref(passing)
    assert known in choices._single
    del passing
    gc.collect()
    assert end() is None
    assert known not in choices._single


async def test_a_response_without_choices_is_a_failed_draw(server: Server, served: ChatOpenAI) -> None:
    server._completion = lambda given: {"choices": [], "model": "m"}  # type: ignore[method-assign]
    drawn = await drawn_by("sync", served, count=2)
    assert [reply.error is not None for reply in drawn.replies] == [True, True]


async def test_each_choice_has_an_end_of_its_own(server: Server, served: ChatOpenAI) -> None:
    server.finish_reasons = ("stop", "length", "stop")
    drawn = await drawn_by("sync", served, count=3)
    assert [reply.cut_off for reply in drawn.replies] == [False, True, False]


@both_doors
async def test_a_model_may_limit_the_choices_of_a_request(door: str, server: Server, served: ChatOpenAI) -> None:
    server.together = 3
    drawn = await drawn_by(door, openai_model(served.openai_api_base, FourChoices), count=9)
    assert sorted(server.sizes) == [1, 4, 4]
    assert (len(drawn.replies), server.most_busy) == (9, 3)


@both_doors
async def test_a_size_of_the_models_own_does_not_multiply(door: str, server: Server, served: ChatOpenAI) -> None:
    drawn = await drawn_by(door, served.model_copy(update={"n": 4}), count=1)
    assert (server.sizes, len(drawn.replies)) == ([1], 1)


async def test_choices_stay_apart_where_a_caller_streams(server: Server, served: ChatOpenAI) -> None:
    async def toss(_: str) -> list[str]:
        return [reply.text for reply in (await drawn_by("async", served, count=2)).replies]

    events = [event async for event in RunnableLambda(toss).astream_events("", version="v2")]
    assert events[-1]["data"]["output"] == ["reply 0", "reply 1"]
    assert server.sizes == [2]
