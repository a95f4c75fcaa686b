"""Calls that are made again, and fallbacks that answer instead: with the ledger of each."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.messages import HumanMessage
from langchain_core.rate_limiters import BaseRateLimiter
from openai_api import answering, openai_model
from scripted_targets import AT_ONCE, scripted

from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.models.retrying import ONCE, Retries
from automix_graph.models.sampling import adraw, draw
from automix_graph.models.scoring import ascore_reply, score_reply
from automix_graph.testing import ScriptedReply

ASKED = [HumanMessage("When?")]
DOWN = ConnectionError("PROVIDER-WORDS")
both_doors = pytest.mark.parametrize("door", ["sync", "async"])


class Refused(Exception):
    status_code = 400


async def called(door: str, target: NamedModel, stage: str = "small_answer", **arguments: Any) -> Attempt:
    if door == "sync":
        attempt = call_model(target, ASKED, stage=stage, **arguments)
    else:
        attempt = await acall_model(target, ASKED, stage=stage, **arguments)
    for model in (target, *target.fallbacks):
        model.model.assert_consumed()  # type: ignore[attr-defined]  # all of them are scripted
    return attempt


def ledger(attempt: Attempt) -> list[tuple[str, str | None, int | None]]:
    return [(call.model, call.error, call.usage.output_tokens) for call in attempt.calls]


@both_doors
async def test_every_call_is_kept(door: str) -> None:
    attempt = await called(door, scripted(DOWN, ModelRateLimitError("PROVIDER-WORDS"), "In May"))
    assert attempt.text == "In May"
    assert ledger(attempt) == [
        ("first", "ConnectionError", None),
        ("first", "ModelRateLimitError", None),
        ("first", None, 2),
    ]
    assert {call.stage for call in attempt.calls} == {"small_answer"}


@both_doors
async def test_an_empty_answer_is_asked_for_again_and_was_paid_for(door: str) -> None:
    empty = ScriptedReply(text=" ", usage=(10, 1))
    attempt = await called(door, scripted(empty, "In May"))
    assert ledger(attempt) == [("first", "empty answer", 1), ("first", None, 2)]
    last = await called(door, scripted(empty, empty, empty))
    assert last.message is None
    assert str(last.error) == "first failed in small_answer: empty answer"


@both_doors
async def test_a_judge_may_say_nothing(door: str) -> None:
    attempt = await called(door, scripted(""), "verify")
    assert (attempt.text, attempt.error) == ("", None)


@both_doors
async def test_fallbacks_answer_in_their_order(door: str) -> None:
    spares = (scripted(DOWN, label="second", retries=ONCE), scripted("In May", label="third"))
    attempt = await called(door, scripted(DOWN, DOWN, DOWN, fallbacks=spares))
    assert attempt.text == "In May"
    assert [(model, error) for model, error, _ in ledger(attempt)] == [
        *[("first", "ConnectionError")] * 3,
        ("second", "ConnectionError"),
        ("third", None),
    ]


@both_doors
async def test_where_all_of_them_fail_the_last_one_counts(door: str) -> None:
    spare = scripted(TimeoutError("PROVIDER-WORDS"), label="second", retries=ONCE)
    attempt = await called(door, scripted(DOWN, retries=ONCE, fallbacks=(spare,)))
    assert attempt.error is not None
    assert (attempt.error.model, len(attempt.calls)) == ("second", 2)
    assert str(attempt.error) == "second failed in small_answer: TimeoutError: timeout"


@both_doors
@pytest.mark.parametrize("error", [Refused("PROVIDER-WORDS"), RuntimeError("PROVIDER-WORDS")])
async def test_a_failure_that_lasts_asks_nobody_else(door: str, error: Exception) -> None:
    attempt = await called(door, scripted(error, fallbacks=(scripted(label="second"),)))
    assert len(attempt.calls) == 1


@both_doors
async def test_no_judge_stands_in_for_another(door: str) -> None:
    attempt = await called(door, scripted(DOWN, DOWN, DOWN, fallbacks=(scripted(label="second"),)), "verify")
    assert {call.model for call in attempt.calls} == {"first"}
    assert attempt.error is not None


@both_doors
async def test_a_model_whose_breaker_is_open_costs_nothing_and_its_fallback_answers(door: str) -> None:
    breaking = Retries(attempts=1, opens_after=1, open_seconds=60)
    spare = scripted("one", "two", label="second")
    target = scripted(DOWN, retries=breaking, fallbacks=(spare,))
    first = call_model(target, ASKED, stage="small_answer")
    second = await called(door, target)
    assert (first.text, second.text) == ("one", "two")
    assert ledger(second) == [("first", "circuit open", 0), ("second", None, 1)]
    assert second.calls[0].usage.input_tokens == 0


async def test_the_error_of_an_open_breaker_says_so() -> None:
    target = scripted(DOWN, retries=Retries(attempts=1, opens_after=1, open_seconds=60))
    call_model(target, ASKED, stage="verify")
    error = call_model(target, ASKED, stage="verify").error
    assert str(error) == "first failed in verify: circuit open"
    assert error is not None
    assert error.retryable


@both_doors
async def test_no_word_of_a_provider_is_told_or_logged(door: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        attempt = await called(door, scripted(DOWN, DOWN, DOWN))
    assert "PROVIDER-WORDS" not in f"{attempt.error}{attempt.calls}{caplog.text}"
    assert attempt.error is not None
    assert attempt.error.__cause__ is DOWN


@both_doors
async def test_a_long_answer_is_a_failure_that_was_paid_for(door: str) -> None:
    attempt = await called(door, scripted("x" * 11, longest_reply=10))
    assert ledger(attempt) == [("first", "too long", 1)]
    assert (await called(door, scripted("x" * 10, longest_reply=10))).error is None


@both_doors
@pytest.mark.parametrize("choices", [1, 3])
async def test_votes_are_drawn_again(door: str, choices: int) -> None:
    statuses = [503, 429, 200]

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if (status := statuses.pop(0)) != 200:
            return status, {"error": {"message": "PROVIDER-WORDS"}}
        message = {"message": {"role": "assistant", "content": "Correct"}, "finish_reason": "stop"}
        listed = [{"index": index, **message} for index in range(request.get("n") or 1)]
        usage = {"prompt_tokens": 5, "completion_tokens": choices, "total_tokens": 5 + choices}
        return 200, {"id": "c", "object": "x", "created": 1, "model": "m", "choices": listed, "usage": usage}

    with answering(answer) as url:
        target = NamedModel(label="judge", model=openai_model(url), retries=AT_ONCE)
        if door == "sync":
            drawn = draw(target, ASKED, count=choices, stage="verify")
        else:
            drawn = await adraw(target, ASKED, count=choices, stage="verify")
    assert [reply.text for reply in drawn.replies] == ["Correct"] * choices
    errors = [(call.error, call.usage.output_tokens) for call in drawn.calls]
    assert errors == [("OpenAIAPIError (503)", None), ("OpenAIRateLimitError (429)", None), (None, choices)]


@both_doors
async def test_one_choice_of_no_use_is_one_vote_lost(door: str) -> None:
    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        texts = ["Correct", "x" * 50]
        listed = [
            {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
        return 200, {"id": "c", "object": "x", "created": 1, "model": "m", "choices": listed, "usage": usage}

    with answering(answer) as url:
        target = NamedModel(label="judge", model=openai_model(url), longest_reply=20)
        if door == "sync":
            drawn = draw(target, ASKED, count=2, stage="verify")
        else:
            drawn = await adraw(target, ASKED, count=2, stage="verify")
    assert [(reply.text, reply.call.error) for reply in drawn.replies] == [("Correct", None), ("", "too long")]
    assert [(call.error, call.usage.output_tokens) for call in drawn.calls] == [(None, 9)]


@both_doors
@pytest.mark.parametrize("garbage", [{"error": {"message": "PROVIDER-WORDS"}}, {"choices": []}, {}])
async def test_a_reply_that_is_no_completion_does_not_tell_that_a_server_cannot_score(
    door: str, garbage: dict[str, Any]
) -> None:
    positions = [None, {"1": {"decoded_token": "May", "logprob": -0.5}}]
    good = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "!"}}],
        "prompt_logprobs": positions,
    }
    bodies = [garbage, good]
    with answering(lambda request: (200, bodies.pop(0))) as url:
        target = NamedModel(label="judge", model=openai_model(url), retries=AT_ONCE)
        scoring: dict[str, Any] = {"way": "prompt", "max_tokens": 4, "stage": "verify"}
        if door == "sync":
            scored = score_reply(target, ASKED, "May", **scoring)
        else:
            scored = await ascore_reply(target, ASKED, "May", **scoring)
    assert [token.logprob for token in scored.tokens] == [-0.5]
    assert [call.error for call in scored.calls] == ["malformed reply", None]


class Taking(BaseRateLimiter):
    """A rate limiter of LangChain that always gives way, and counts."""

    taken = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.taken += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return self.acquire()


@both_doors
async def test_langchains_rate_limiter_is_asked_before_each_call(door: str) -> None:
    limiter = Taking()
    target = scripted(DOWN, DOWN, "In May")
    target.model.rate_limiter = limiter
    await called(door, target)
    assert limiter.taken == 3
    voted = scripted(DOWN, "Correct", "Correct", label="judge")
    voted.model.rate_limiter = limiter
    if door == "sync":
        draw(voted, ASKED, count=2, stage="verify", config={"max_concurrency": 1})
    else:
        await adraw(voted, ASKED, count=2, stage="verify", config={"max_concurrency": 1})
    assert limiter.taken == 6
