"""Replies of no use, replies that were cut off, and reports of tokens that cannot be true."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from automix_graph.models.calling import Attempt
from automix_graph.models.failures import UnusableReplyError
from automix_graph.models.replies import LONGEST_REPLY, check_reply, end_of, length_of
from automix_graph.models.usage import completion_usage, reported_usage
from automix_graph.records import Call, Usage


def ended(content: Any = "In May", **metadata: Any) -> AIMessage:
    return AIMessage(content, response_metadata=metadata)


def problem(message: AIMessage, *, answers: bool, longest: int = LONGEST_REPLY) -> str | None:
    try:
        check_reply(message, answers=answers, longest=longest)
    except UnusableReplyError as error:
        return error.failure.kind
    return None


@pytest.mark.parametrize(
    ("metadata", "end"),
    [
        ({}, "finished"),
        ({"finish_reason": "stop"}, "finished"),
        ({"finish_reason": None}, "finished"),
        ({"finish_reason": "length"}, "truncated"),
        ({"finish_reason": "MAX_TOKENS"}, "truncated"),
        ({"stop_reason": "max_tokens"}, "truncated"),
        ({"stopReason": "max_tokens"}, "truncated"),
        ({"done_reason": "length"}, "truncated"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "truncated"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "withheld"),
        ({"status": "incomplete"}, "truncated"),
        ({"status": "completed"}, "finished"),
        ({"finish_reason": "content_filter"}, "withheld"),
        ({"finish_reason": "SAFETY"}, "withheld"),
        ({"stopReason": "guardrail_intervened"}, "withheld"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"model_provider": "openai"}, "broken"),
        ({"model_provider": "openai", "finish_reason": "stop"}, "finished"),
        ({"model_provider": "openai", "model_name": "m", "finish_reason": None}, "finished"),
        ({"model_provider": "mine"}, "finished"),
    ],
)
def test_how_a_reply_ended(metadata: dict[str, Any], end: str) -> None:
    message = ended(**metadata)
    assert end_of(message) == end
    attempt = Attempt(call=Call(stage="verify", model="m", usage=Usage(), seconds=0.0), message=message)
    assert (attempt.truncated, attempt.withheld) == (end == "truncated", end == "withheld")
    assert attempt.cut_off == (end in {"truncated", "withheld"})


@pytest.mark.parametrize(
    ("message", "answer", "judge"),
    [
        (ended(), None, None),
        (ended(finish_reason="length"), None, None),
        (ended(""), "empty_answer", None),
        (ended(" \n\t"), "empty_answer", None),
        (ended([]), "empty_answer", None),
        (ended([{"type": "reasoning", "reasoning": "well"}]), "empty_answer", None),
        (ended("", finish_reason="length"), "cut_off", None),
        (ended(finish_reason="content_filter"), "content_filter", None),
        (ended(stop_reason="refusal"), "refusal", "refusal"),
        (AIMessage("Correct", additional_kwargs={"refusal": "no"}), "refusal", "refusal"),
        (AIMessage("Correct", additional_kwargs={"refusal": None}), None, None),
        (ended([{"type": "refusal", "refusal": "no"}]), "refusal", "refusal"),
        (ended([{"type": "text", "text": "In "}, {"type": "text", "text": "May"}]), None, None),
        (ended(model_provider="openai"), "malformed_reply", "malformed_reply"),
        (ended("x\ud800"), None, None),
    ],
)
def test_what_is_of_use_to_whom(message: AIMessage, answer: str | None, judge: str | None) -> None:
    assert problem(message, answers=True) == answer
    assert problem(message, answers=False) == judge


def test_a_reply_may_be_as_long_as_the_longest_and_no_longer() -> None:
    blocks: list[str | dict[str, Any]] = ["123", {"type": "text", "text": "45"}, {"type": "x", "deep": [{"a": "67"}]}]
    for content in ("1234567", blocks):
        assert length_of(content) == 7
        assert problem(AIMessage(content), answers=True, longest=7) is None
        assert problem(AIMessage(content), answers=True, longest=6) == "too_long"


def test_the_error_of_a_long_reply_does_not_hold_it() -> None:
    message = AIMessage("secret " * 200_000, usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    with pytest.raises(UnusableReplyError) as caught:
        check_reply(message, answers=True, longest=LONGEST_REPLY)
    assert caught.value.usage == Usage(input_tokens=3, output_tokens=4)
    assert "secret" not in repr(caught.value.__dict__)


def test_an_attempt_has_its_text_in_valid_unicode() -> None:
    attempt = Attempt(call=Call(stage="s", model="m", usage=Usage(), seconds=0.0), message=AIMessage("a\ud800b"))
    assert attempt.text == "a\ufffdb"


def reported(read: Any, written: Any, **details: Any) -> AIMessage:
    message = AIMessage("x")
    message.usage_metadata = {  # as providers' packages set it, without a check
        "input_tokens": read,
        "output_tokens": written,
        "total_tokens": 0,
        "input_token_details": details,  # type: ignore[typeddict-item]  # what servers send
    }
    return message


@pytest.mark.parametrize(
    ("message", "usage"),
    [
        (AIMessage("x"), Usage()),
        (reported(7, 2, cache_read=5), Usage(input_tokens=7, output_tokens=2, cached_input_tokens=5)),
        (reported(0, 0), Usage()),
        (reported(7, 0), Usage(input_tokens=7, output_tokens=0)),
        (reported(-7, 2), Usage(output_tokens=2)),
        (reported("7", 2.5), Usage()),
        (reported(10**12, 2), Usage(output_tokens=2)),
        (reported(True, None), Usage()),
        (reported(7, 2, cache_read=-1), Usage(input_tokens=7, output_tokens=2)),
    ],
)
def test_what_cannot_be_true_is_unknown(message: AIMessage, usage: Usage) -> None:
    assert reported_usage(message) == usage


@given(st.integers() | st.floats() | st.text() | st.none() | st.booleans())
def test_a_completion_reports_counts_or_nothing(value: object) -> None:
    usage = completion_usage(SimpleNamespace(usage=SimpleNamespace(prompt_tokens=value, completion_tokens=3)))
    assert usage.output_tokens == 3
    assert usage.input_tokens is None or 0 <= usage.input_tokens == value
    assert completion_usage(SimpleNamespace()) == completion_usage(None) == Usage()
