"""Draws against a server of the OpenAI API on this machine, and against models that take one request a reply."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_openai import ChatOpenAI
from openai_api import answering, openai_model

from automix_graph.models import choices
from automix_graph.models.calling import NamedModel
from automix_graph.models.choices import most_choices
from automix_graph.models.sampling import Drawn, adraw, draw
from automix_graph.testing import FunctionChatModel, ScriptedChatModel

ASKED = [HumanMessage("Heads or tails?")]
WAIT = 10.0
"""Seconds after which requests that were to run at one time are taken not to."""

Answer = tuple[int, dict[str, Any]]


class Server:
    """An endpoint that remembers its requests.

    Attributes:
        choices: from the number asked for to the number given; 0 refuses the request with `status`.
        together: how many requests must have arrived before any is answered.
    """

    def __init__(self) -> None:
        self.choices: Callable[[int], int] = lambda n: n
        self.status = 400
        self.together = 1
        self.finish_reasons: tuple[str, ...] = ()
        self.requests: list[dict[str, Any]] = []
        self.busy = self.most_busy = 0
        self._changed = threading.Condition()

    def answer(self, request: dict[str, Any]) -> Answer:
        with self._changed:
            self.requests.append(request)
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
            self._changed.notify_all()
            arrived = self._changed.wait_for(lambda: len(self.requests) >= self.together, WAIT)
            self.busy -= 1
        assert arrived, "the requests came one after the other"
        given = self.choices(request.get("n") or 1)
        return (200, self._completion(given)) if given else (self.status, {"error": {"message": "n must be 1"}})

    @property
    def sizes(self) -> list[int]:
        """How many choices each request asked for."""
        return [request.get("n") or 1 for request in self.requests]

    def _completion(self, given: int) -> dict[str, Any]:
        reasons = self.finish_reasons or ("stop",) * given
        choices = [
            {
                "index": index,
                "finish_reason": reasons[index],
                "message": {"role": "assistant", "content": f"reply {index}"},
            }
            for index in range(given)
        ]
        usage = {"prompt_tokens": 10, "completion_tokens": 2 * given, "total_tokens": 10 + 2 * given}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def model(server: Server) -> Iterator[ChatOpenAI]:
    with answering(server.answer) as url:
        yield openai_model(url)


class FourChoices(ChatOpenAI):
    most_choices: int = 4


class OneChoice(ChatOpenAI):
    most_choices: int = 1


class OneRequest(ChatOpenAI):
    most_choices: int = 1
    most_requests: int = 1


async def drawn_by(door: str, model: Any, count: int = 8, **arguments: Any) -> Drawn:
    target = NamedModel(label="judge", model=model)
    if door == "sync":
        return draw(target, ASKED, count=count, stage="verify", **arguments)
    return await adraw(target, ASKED, count=count, stage="verify", **arguments)


both_doors = pytest.mark.parametrize("door", ["sync", "async"])


@both_doors
async def test_one_request_where_the_server_can(door: str, server: Server, model: ChatOpenAI) -> None:
    drawn = await drawn_by(door, model, options={"temperature": 0.7, "max_tokens": 5})
    assert server.sizes == [8]
    assert [reply.text for reply in drawn.replies] == [f"reply {index}" for index in range(8)]
    (call,) = drawn.calls
    assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 16)
    assert all(reply.call is call for reply in drawn.replies)
    assert server.requests[0]["temperature"] == 0.7
    assert server.requests[0]["max_completion_tokens"] == 5
    assert model.temperature is None


@both_doors
async def test_what_a_server_leaves_out_is_asked_for_again(door: str, server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: min(n, 3)
    drawn = await drawn_by(door, model)
    assert sorted(server.sizes) == [2, 3, 8]
    assert len(drawn.replies) == 8
    assert [call.usage.output_tokens for call in drawn.calls] == [6, 6, 4]


@both_doors
async def test_a_server_that_ignores_n_is_asked_one_by_one_at_one_time(
    door: str, server: Server, model: ChatOpenAI
) -> None:
    server.choices = lambda n: 1
    drawn = await drawn_by(door, model)
    assert server.sizes == [8] + [1] * 7
    assert (len(drawn.replies), len(drawn.calls)) == (8, 8)
    assert sum(call.usage.input_tokens or 0 for call in drawn.calls) == 80


async def test_choices_beyond_what_was_asked_for_are_no_draws(server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: n + 1
    drawn = await drawn_by("sync", model, count=2)
    assert len(drawn.replies) == 2
    assert drawn.calls[0].usage.output_tokens == 6


@both_doors
@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_n_is_followed_by_single_requests(
    door: str, status: int, server: Server, model: ChatOpenAI
) -> None:
    server.choices, server.status = lambda n: int(n == 1), status
    drawn = await drawn_by(door, model, count=4)
    assert server.sizes == [4, 1, 1, 1, 1]
    assert [reply.error for reply in drawn.replies] == [None] * 4
    assert [call.error is None for call in drawn.calls] == [False, True, True, True, True]


@both_doors
@pytest.mark.parametrize(("given", "first"), [(0, [4, 1, 1, 1, 1]), (1, [4, 1, 1, 1])])
async def test_a_server_that_has_no_n_is_asked_for_it_once(
    door: str, given: int, first: list[int], server: Server, model: ChatOpenAI
) -> None:
    server.choices = lambda n: 1 if n == 1 else given
    await drawn_by(door, model, count=4)
    assert server.sizes == first
    server.requests.clear()
    server.together = 4
    drawn = await drawn_by(door, model, count=4)
    assert server.sizes == [1] * 4
    assert len(drawn.replies) == 4
    server.requests.clear()
    server.together = 1
    await drawn_by(door, openai_model(model.openai_api_base), count=4)
    assert server.sizes == first


async def test_a_refusal_of_single_requests_too_says_nothing_about_n(server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: 0
    await drawn_by("sync", model, count=2)
    server.requests.clear()
    server.choices = lambda n: n
    await drawn_by("sync", model, count=2)
    assert server.sizes == [2]


async def test_fewer_choices_than_asked_for_are_no_refusal(server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: min(n, 3)
    await drawn_by("sync", model, count=4)
    server.requests.clear()
    await drawn_by("sync", model, count=3)
    assert server.sizes == [3]


async def test_what_is_known_of_a_model_ends_with_it(server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: int(n == 1)
    passing = openai_model(model.openai_api_base)
    await drawn_by("sync", passing, count=2)
    assert most_choices(passing, 2) == 1
    known, end = id(passing), weakref.ref(passing)
    assert known in choices._single
    del passing
    gc.collect()
    assert end() is None
    assert known not in choices._single


@both_doors
async def test_any_other_failure_is_a_failed_draw(door: str, server: Server, model: ChatOpenAI) -> None:
    server.choices, server.status = lambda n: 0, 429
    drawn = await drawn_by(door, model, count=3)
    assert server.sizes == [3]
    assert [reply.error.status for reply in drawn.replies if reply.error] == [429] * 3
    assert [call.error for call in drawn.calls] == ["OpenAIRateLimitError (429)"]


@both_doors
async def test_single_requests_that_are_refused_end(door: str, server: Server, model: ChatOpenAI) -> None:
    server.choices = lambda n: 0
    drawn = await drawn_by(door, model, count=3)
    assert server.sizes == [3, 1, 1, 1]
    assert all(reply.error and not reply.text for reply in drawn.replies)


async def test_a_response_without_choices_is_a_failed_draw(server: Server, model: ChatOpenAI) -> None:
    server._completion = lambda given: {"choices": [], "model": "m"}  # type: ignore[method-assign]
    drawn = await drawn_by("sync", model, count=2)
    assert [reply.error is not None for reply in drawn.replies] == [True, True]


async def test_each_choice_has_an_end_of_its_own(server: Server, model: ChatOpenAI) -> None:
    server.finish_reasons = ("stop", "length", "stop")
    drawn = await drawn_by("sync", model, count=3)
    assert [reply.cut_off for reply in drawn.replies] == [False, True, False]


@both_doors
async def test_a_model_may_limit_the_choices_of_a_request(door: str, server: Server, model: ChatOpenAI) -> None:
    server.together = 3
    drawn = await drawn_by(door, openai_model(model.openai_api_base, FourChoices), count=9)
    assert sorted(server.sizes) == [1, 4, 4]
    assert (len(drawn.replies), server.most_busy) == (9, 3)


@both_doors
async def test_single_requests_run_at_one_time(door: str, server: Server, model: ChatOpenAI) -> None:
    server.together = 12
    drawn = await drawn_by(door, openai_model(model.openai_api_base, OneChoice), count=12)
    assert server.sizes == [1] * 12
    assert (len(drawn.replies), server.most_busy) == (12, 12)


@both_doors
async def test_the_config_bounds_the_requests_at_one_time(door: str, server: Server, model: ChatOpenAI) -> None:
    server.together = 2
    single = openai_model(model.openai_api_base, OneChoice)
    drawn = await drawn_by(door, single, count=6, config=RunnableConfig(max_concurrency=2))
    assert (len(drawn.replies), server.most_busy) == (6, 2)


@both_doors
async def test_a_model_may_limit_the_requests_at_one_time(door: str, server: Server, model: ChatOpenAI) -> None:
    drawn = await drawn_by(door, openai_model(model.openai_api_base, OneRequest), count=5)
    assert (len(drawn.replies), len(drawn.calls), server.most_busy) == (5, 5, 1)


@both_doors
async def test_a_size_of_the_models_own_does_not_multiply(door: str, server: Server, model: ChatOpenAI) -> None:
    drawn = await drawn_by(door, model.model_copy(update={"n": 4}), count=1)
    assert (server.sizes, len(drawn.replies)) == ([1], 1)


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


async def test_choices_stay_apart_where_a_caller_streams(server: Server, model: ChatOpenAI) -> None:
    async def toss(_: str) -> list[str]:
        return [reply.text for reply in (await drawn_by("async", model, count=2)).replies]

    events = [event async for event in RunnableLambda(toss).astream_events("", version="v2")]
    assert events[-1]["data"]["output"] == ["reply 0", "reply 1"]
    assert server.sizes == [2]


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
