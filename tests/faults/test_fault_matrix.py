"""Every fault at every stage, through real graphs: where the question ends, how often who was asked, and how long."""

import time

import pytest
from cascades import (
    STAGES,
    TWICE,
    VOTES,
    Cascade,
    Cascades,
    Stage,
    always,
    assert_found_another_way,
    assert_sound,
    once,
)
from fault_server import (
    DRIP_SECONDS,
    LASTING,
    LONG,
    PASSING,
    SHORT,
    Fault,
    cut,
    drip,
    fail_in_stream,
    huge,
    saying,
    status,
)

from automix_graph.models.retrying import ONCE, Retries

SLACK = 3.0
"""Seconds that a question may take beside its waits, on a busy machine."""

each_stage = pytest.mark.parametrize("stage", STAGES)


def requests_of(cascades: Cascades, cascade: Cascade) -> int:
    return cascades.server.asked_for(cascade.victim)


@each_stage
@pytest.mark.parametrize("name", PASSING)
async def test_a_fault_that_may_pass_is_tried_again_and_then_another_way(
    cascades: Cascades, stage: Stage, name: str
) -> None:
    began = time.perf_counter()
    waiting = {"timeout": SHORT if name == "hang" else LONG}
    fault, kind = PASSING[name]
    cascade = await cascades.run(stage, always(fault), sync=STAGES.index(stage) % 2 == 0, **waiting)
    assert time.perf_counter() - began < TWICE.attempts * SHORT + SLACK
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert requests_of(cascades, cascade) == TWICE.attempts
    if stage == "votes" and name == "no choices":
        kind = "malformed reply"
    assert [call["error"] for call in cascade.charged] == [kind] * TWICE.attempts
    assert len(cascade.result["usage"]["calls"]) == len(cascades.server.asked)


@each_stage
@pytest.mark.parametrize("name", LASTING)
async def test_a_fault_that_lasts_is_not_tried_again(cascades: Cascades, stage: Stage, name: str) -> None:
    cascade = await cascades.run(stage, always(LASTING[name][0]), sync=STAGES.index(stage) % 2 == 1)
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    # Votes ask for all of them at once, and one by one where the server may not take that.
    about_the_request = name in {"400", "403", "422", "context overflow", "content filter"}
    assert requests_of(cascades, cascade) == (1 + VOTES if stage == "votes" and about_the_request else 1)
    assert {call["error"] for call in cascade.charged} == {LASTING[name][1]}
    assert len(cascade.result["usage"]["calls"]) == len(cascades.server.asked)


@pytest.mark.parametrize("stage", ["small", "short", "votes", "probability", "large"])
@pytest.mark.parametrize("name", ["429 with Retry-After", "503", "reset", "malformed JSON", "null choices"])
async def test_a_fault_that_passes_leaves_no_trace_in_the_answer(cascades: Cascades, stage: Stage, name: str) -> None:
    cascade = await cascades.run(stage, once(PASSING[name][0]))
    assert_sound(cascade)
    ended = (cascade.result["answer"], cascade.result["route"], cascade.result["degraded"])
    assert ended == (("L", "large", False) if stage == "large" else ("S", "small", False))
    assert requests_of(cascades, cascade) == 2


@pytest.mark.parametrize("name", ["429", "500", "reset"])
async def test_who_is_asked_once_is_asked_once(cascades: Cascades, name: str) -> None:
    cascade = await cascades.run("short", always(PASSING[name][0]), ONCE)
    assert_found_another_way(cascade, "short")
    assert requests_of(cascades, cascade) == 1


@pytest.mark.parametrize(("stage", "sync"), [("small", True), ("small", False), ("short", True), ("large", False)])
async def test_a_reply_that_drips_in_is_a_reply(cascades: Cascades, stage: Stage, sync: bool) -> None:
    began = time.perf_counter()
    cascade = await cascades.run(stage, always(drip), sync=sync)
    assert DRIP_SECONDS < time.perf_counter() - began < DRIP_SECONDS + SLACK
    assert cascade.result["route"] == ("large" if stage == "large" else "small")
    assert cascade.result["degraded"] is False
    assert requests_of(cascades, cascade) == 1


@pytest.mark.parametrize("stage", ["small", "short", "probability", "middle", "large"])
@pytest.mark.parametrize("fault", [cut, fail_in_stream])
async def test_a_stream_that_breaks_off_after_a_word_is_no_reply(
    cascades: Cascades, stage: Stage, fault: Fault
) -> None:
    cascade = await cascades.run(stage, always(fault), streaming=True)
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert requests_of(cascades, cascade) == TWICE.attempts


@each_stage
async def test_a_huge_reply_is_no_reply_and_not_asked_for_again(cascades: Cascades, stage: Stage) -> None:
    cascade = await cascades.run(stage, always(huge))
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert len(repr(cascade.result)) < 10_000
    assert requests_of(cascades, cascade) == 1


# Of several choices langchain-openai tells the refusal of the first alone; a real refusal has no content.
REFUSALS = [
    (stage, content) for stage in STAGES for content in (None, "Correct") if (stage, content) != ("votes", "Correct")
]


@pytest.mark.parametrize(("stage", "content"), REFUSALS)
async def test_a_refusal_is_no_answer_and_no_verdict(cascades: Cascades, stage: Stage, content: str | None) -> None:
    cascade = await cascades.run(stage, always(saying(content, refusal="I will not")))
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert requests_of(cascades, cascade) == 1


@each_stage
@pytest.mark.parametrize("content", [None, "", " \n", []])
async def test_an_empty_reply_is_no_answer_and_no_verdict(cascades: Cascades, stage: Stage, content: object) -> None:
    cascade = await cascades.run(stage, always(saying(content)))
    assert_sound(cascade)
    if stage == "probability" and content != []:
        return  # the probabilities of the token are there, whatever it is spelled like
    assert_found_another_way(cascade, stage)
    judged = stage in {"short", "votes", "probability"}
    assert requests_of(cascades, cascade) == (1 if judged else TWICE.attempts)


@each_stage
async def test_a_reply_that_a_filter_cut_off_is_no_answer_and_no_verdict(cascades: Cascades, stage: Stage) -> None:
    cascade = await cascades.run(stage, always(saying("Correct", finish="content_filter")))
    assert_sound(cascade)
    if stage != "probability":  # one token is all that is read
        assert_found_another_way(cascade, stage)
    assert requests_of(cascades, cascade) == 1


async def test_a_verdict_that_was_cut_off_is_none_and_a_draft_that_was_is_a_draft(cascades: Cascades) -> None:
    judged = await cascades.run("short", always(saying("Correct", finish="length")))
    assert_found_another_way(judged, "short")
    drafted = await cascades.run("small", always(saying("Half a sen", finish="length")))
    assert (drafted.result["answer"], drafted.result["verdict"]) == ("Half a sen", "CORRECT")


async def test_a_wait_that_is_asked_for_is_waited(cascades: Cascades) -> None:
    began = time.perf_counter()
    await cascades.run(
        "short", once(status(429, retry_after_ms="150")), Retries(attempts=2, first_wait=0.0, longest_wait=1.0)
    )
    assert time.perf_counter() - began >= 0.15
    began = time.perf_counter()
    await cascades.run(
        "short", once(status(429, Retry_After="3600")), Retries(attempts=2, first_wait=0.0, longest_wait=0.05)
    )
    assert 0.05 <= time.perf_counter() - began < SLACK
