"""Every fault at every stage, through real graphs: where the question ends, how often who was asked, and how long."""

import itertools
import time
from collections.abc import Iterator

import pytest
from cascades import (
    JUDGED,
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
from fault_server import LONG, SHORT, Fault
from provider_faults import DRIP_SECONDS, LASTING, PASSING, cut, drip, fail_in_stream, huge, saying, status

from automix_graph.models.retrying import ONCE, Retries

pytestmark = pytest.mark.integration

SLACK = 3.0
"""Seconds that a question may take beside its waits, on a busy machine."""

each_stage = pytest.mark.parametrize("stage", STAGES)
each_answer_or_verdict = pytest.mark.parametrize(
    "stage", [stage for stage in STAGES if stage not in {"condense", "likelihood"}]
)
"""Where what is written is read."""


WAYS = [(sync, streaming) for sync in (True, False) for streaming in (False, True)]
"""In which a graph is run, and a model replies."""


def requests_of(cascades: Cascades, cascade: Cascade) -> int:
    """Return how often the model was asked in the stage in which it failed."""
    others = [call for call in cascade.result["usage"]["calls"] if call["stage"] != cascade.node]
    return cascades.server.asked_for(cascade.victim) - sum(call["model"] == cascade.victim for call in others)


def one_way(stage: Stage, number: int) -> tuple[bool, bool]:
    """Return the way in which a cell of the matrix is run each time; the slow run has all of them."""
    return WAYS[(STAGES.index(stage) + number) % len(WAYS)]


def faults_of(stage: Stage, fault: Fault, times: int) -> Iterator[Fault]:
    """Return a model's faults: for ever, but where the model that fails is asked again in the next stage."""
    return itertools.islice(always(fault), times) if stage == "condense" else always(fault)


async def check_passing(cascades: Cascades, stage: Stage, name: str, *, sync: bool, streaming: bool) -> None:
    fault, kind = PASSING[name]
    hanging = (
        (4 * SHORT if stage == "condense" else SHORT) if name == "hang" else 0.0
    )  # an answer is waited for as long
    waiting = {"timeout": hanging or LONG, "streaming": streaming}
    cascade = await cascades.run(stage, faults_of(stage, fault, TWICE.attempts), sync=sync, **waiting)
    assert time.perf_counter() - cascades.began < TWICE.attempts * hanging + SLACK
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    # Without a choice that can be read, a server may be one that does not score: that is no failure, and no judgement.
    tries = 1 if (stage, name) == ("likelihood", "null message") else TWICE.attempts
    assert requests_of(cascades, cascade) == tries
    errors = [call["error"] for call in cascade.charged]
    if stage == "likelihood" and tries == 1:
        assert errors == [None]
    elif (streaming and stage != "votes") or stage == "likelihood":
        assert len(errors) == tries  # readers of streams, and OpenAI's own client, have errors of their own
        assert None not in errors
    else:
        kind = "malformed reply" if name == "no choices" and stage == "votes" else kind
        assert errors == [kind] * tries
    assert len(cascade.result["usage"]["calls"]) == len(cascades.server.asked)


async def check_lasting(cascades: Cascades, stage: Stage, name: str, *, sync: bool, streaming: bool) -> None:
    # A stream without an event tells nothing, and votes do not stream.
    streaming = streaming and stage != "votes" and name != "200 with an error that lasts"
    cascade = await cascades.run(stage, faults_of(stage, LASTING[name][0], 1), sync=sync, streaming=streaming)
    assert time.perf_counter() - cascades.began < SLACK
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    # Votes ask for all of them at once, and one by one where the server may not take that.
    about_the_request = name in {"400", "403", "422", "context overflow", "content filter"}
    requests = 1
    if stage == "votes":
        requests = 1 + VOTES if about_the_request else 1
    elif (stage, name) == ("likelihood", "200 with an error that lasts"):
        requests = TWICE.attempts  # to OpenAI's own client, a reply without choices
    assert requests_of(cascades, cascade) == requests
    errors = {call["error"] for call in cascade.charged}
    assert None not in errors
    if not streaming and stage != "likelihood":
        assert errors == {LASTING[name][1]}
    assert len(cascade.result["usage"]["calls"]) == len(cascades.server.asked)


@each_stage
@pytest.mark.parametrize("name", PASSING)
async def test_a_fault_that_may_pass_is_tried_again_and_then_another_way(
    cascades: Cascades, stage: Stage, name: str
) -> None:
    sync, streaming = one_way(stage, list(PASSING).index(name))
    await check_passing(cascades, stage, name, sync=sync, streaming=streaming)


@each_stage
@pytest.mark.parametrize("name", LASTING)
async def test_a_fault_that_lasts_is_not_tried_again(cascades: Cascades, stage: Stage, name: str) -> None:
    sync, streaming = one_way(stage, list(LASTING).index(name))
    await check_lasting(cascades, stage, name, sync=sync, streaming=streaming)


@pytest.mark.slow
@each_stage
@pytest.mark.parametrize(("sync", "streaming"), WAYS)
async def test_every_fault_at_every_stage_in_every_way(
    cascades: Cascades, stage: Stage, sync: bool, streaming: bool
) -> None:
    for name in PASSING:
        await check_passing(cascades, stage, name, sync=sync, streaming=streaming)
    for name in LASTING:
        await check_lasting(cascades, stage, name, sync=sync, streaming=streaming)


@pytest.mark.parametrize("stage", ["small", "short", "votes", "probability", "large"])
@pytest.mark.parametrize("name", ["429 with Retry-After", "503", "reset", "malformed JSON", "null choices"])
async def test_a_fault_that_passes_leaves_no_trace_in_the_answer(cascades: Cascades, stage: Stage, name: str) -> None:
    cascade = await cascades.run(stage, once(PASSING[name][0]), streaming=stage == "votes")
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


@each_answer_or_verdict
async def test_a_huge_reply_is_no_reply_and_not_asked_for_again(cascades: Cascades, stage: Stage) -> None:
    cascade = await cascades.run(stage, always(huge))
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert len(repr(cascade.result)) < 10_000
    assert requests_of(cascades, cascade) == 1


# Of several choices langchain-openai tells the refusal of the first alone; a real refusal has no content.
REFUSALS = [
    (stage, content)
    for stage in STAGES
    for content in (None, "Correct")
    if stage not in {"condense", "likelihood"} and (stage, content) != ("votes", "Correct")
]


@pytest.mark.parametrize(("stage", "content"), REFUSALS)
async def test_a_refusal_is_no_answer_and_no_verdict(cascades: Cascades, stage: Stage, content: str | None) -> None:
    cascade = await cascades.run(stage, always(saying(content, refusal="I will not")))
    assert_sound(cascade)
    assert_found_another_way(cascade, stage)
    assert requests_of(cascades, cascade) == 1


@each_answer_or_verdict
@pytest.mark.parametrize("content", [None, "", " \n", []])
async def test_an_empty_reply_is_no_answer_and_no_verdict(cascades: Cascades, stage: Stage, content: object) -> None:
    cascade = await cascades.run(stage, always(saying(content)))
    assert_sound(cascade)
    if stage == "probability" and content != []:
        return  # the probabilities of the token are there, whatever it is spelled like
    assert_found_another_way(cascade, stage)
    judged = stage in JUDGED
    assert requests_of(cascades, cascade) == (1 if judged else TWICE.attempts)


@each_answer_or_verdict
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
