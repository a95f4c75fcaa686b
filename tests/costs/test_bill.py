import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.costs import Price, Prices, asked_alone, bill_of, estimated_large
from automix_graph.records import Bill, Call, Stage, Usage

PRICES = Prices({"s": Price(1, 4, 0.1), "l": Price(10, 40, 1)})


def call(
    stage: Stage,
    model: str,
    read: int | None,
    wrote: int | None = 10,
    cached: int | None = None,
    error: str | None = None,
) -> Call:
    usage = Usage(input_tokens=read, output_tokens=wrote, cached_input_tokens=cached)
    return Call(stage=stage, model=model, usage=usage, seconds=1.0, error=error)


SMALL = call("small_answer", "s", 1000, 50)


def bill(*calls: Call) -> Bill:
    return bill_of(PRICES.charge(calls), large="l", prices=PRICES)


def test_a_kept_small_answer_is_compared_with_an_estimate() -> None:
    found = bill(SMALL, call("verify", "l", 1100, 1))
    # 1,000 and 50 tokens at 10 and 40 dollars a million
    assert (found.always_large, found.estimated) == (pytest.approx(0.012), True)
    assert found.cost == found.at_least == pytest.approx(0.0012 + 0.01104)
    assert found.saved == pytest.approx(0.012 - 0.01224)


def test_the_judge_counts_tokens_as_the_large_model_does() -> None:
    estimate = estimated_large([SMALL, call("verify", "l", 700, 1)], "l")
    assert estimate is not None
    assert estimate.usage == Usage(input_tokens=700, output_tokens=50)
    other = estimated_large([SMALL, call("verify", "third", 700, 1)], "l")
    assert other is not None
    assert other.usage.input_tokens == 1000


def test_an_answer_alone_needs_no_examples_of_judging() -> None:
    judged, answered = call("verify", "l", 1100, 1, cached=200), call("large_answer", "l", 1050, 80, cached=1000)
    alone = asked_alone([SMALL, judged, answered])
    assert alone is not None
    # The small model read 1,000 tokens; the 50 more are of the beginning, of which 200 were in the cache.
    assert alone.usage == Usage(input_tokens=1000, output_tokens=80, cached_input_tokens=150)
    found = bill(SMALL, judged, answered)
    assert found.estimated
    assert found.always_large == pytest.approx((850 * 10 + 150 * 1 + 80 * 40) / 1e6)
    assert found.saved is not None
    assert found.saved < 0


def test_where_the_small_model_read_more_the_answer_is_what_it_was() -> None:
    judged, answered = call("verify", "l", 990, 1, cached=200), call("large_answer", "l", 980, 80, cached=900)
    found = bill(SMALL, judged, answered)
    assert not found.estimated
    assert found.always_large == pytest.approx((780 * 10 + 200 * 1 + 80 * 40) / 1e6)


def test_tokens_of_calls_that_failed_or_of_the_same_model_say_nothing() -> None:
    judged, answered = call("verify", "l", 1100, 1, cached=0), call("large_answer", "l", 1050, 80, cached=1000)
    failed, own = call("small_answer", "s", 10, 0, error="timeout"), call("small_answer", "l", 20, 1)
    for first in (failed, own, call("small_answer", "s", None, None)):
        alone = asked_alone([first, judged, answered])
        assert alone is not None
        assert alone.usage.input_tokens == 1050


def test_what_the_judge_read_before_would_have_taken_its_time() -> None:
    judged, answered = call("verify", "l", 1100, 100, cached=200), call("large_answer", "l", 1050, 80, cached=1000)
    alone = asked_alone([SMALL, judged, answered])
    assert alone is not None
    # The judge took a second for 900 tokens read and 100 written; alone, 800 more would have to be read.
    assert alone.seconds == pytest.approx(1.8)
    unknown = asked_alone([SMALL, call("verify", "l", None, None), answered])
    assert unknown is not None
    assert unknown.seconds == 1.0


def test_what_another_judge_read_serves_the_large_model_nothing() -> None:
    answered = call("large_answer", "l", 1050, 80, cached=300)
    assert asked_alone([SMALL, call("verify", "third", 900, 1, cached=0), answered]) is answered


def test_a_judge_that_failed_or_did_not_report_its_cache() -> None:
    answered = call("large_answer", "l", 1050, 80, cached=1000)
    failed = call("verify", "l", None, None, error="timeout")
    assert asked_alone([SMALL, failed, answered]) is answered
    alone = asked_alone([SMALL, call("verify", "l", 1100, 1, cached=None), answered])
    assert alone is not None
    assert alone.usage.cached_input_tokens is None


def test_no_more_is_cached_than_was_read() -> None:
    alone = asked_alone([call("verify", "l", 5000, 1, cached=4000), call("large_answer", "l", 1050, 80, cached=1000)])
    assert alone is not None
    assert alone.usage.cached_input_tokens == 1050


def test_a_failed_large_model_is_estimated() -> None:
    found = bill(SMALL, call("large_answer", "l", None, None, error="timeout"))
    assert found.estimated
    assert found.cost is None  # what the failed call cost is not known
    assert found.at_least == pytest.approx(0.0012)
    assert found.saved is None


def test_what_nobody_reported_is_not_estimated() -> None:
    assert bill(call("small_answer", "s", None, None)).always_large is None
    assert bill(call("small_answer", "s", 100, 5, error="empty answer")).always_large is None
    assert bill_of((), large="l", prices=PRICES) == Bill(cost=0, at_least=0, always_large=None, estimated=True)


@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 500), st.integers(0, 5000))
def test_alone_the_large_answer_is_never_cheaper_than_after_a_judge_that_found_less_in_the_cache(
    read: int, judge_cached: int, wrote: int, cached: int
) -> None:
    cached = min(cached, read)
    judge = call("verify", "l", 5000, 1, cached=min(judge_cached, cached))
    answer = call("large_answer", "l", read, wrote, cached=cached)
    alone = asked_alone([judge, answer])
    assert alone is not None
    first, second = PRICES.cost(alone), PRICES.cost(answer)
    assert first is not None
    assert second is not None
    assert first >= second - 1e-12


def test_a_cached_answer_is_charged_alone_as_it_was_when_it_was_made() -> None:
    answered = call("large_answer", "l", 1050, 80, cached=1000)
    replayed = dataclasses.replace(answered, cached=True)
    assert asked_alone([SMALL, replayed]) == answered
    alone = asked_alone([SMALL, call("verify", "l", 1100, 100, cached=200), replayed])
    assert alone is not None
    assert alone.cached is False


@pytest.mark.parametrize(
    ("judge", "cached", "seconds"),
    [
        # (read, wrote, cached) by the judge in a second; what of the answer's prompt was cached; the seconds alone
        ((1100, 100, None), 600, 1.0 + 600 / 1200),
        ((1100, 100, None), None, 1.0),
        ((1100, 100, 500), 200, 1.0),
        ((1100, 100, 0), 0, 1.0),
        ((None, 5, None), 600, 1.0),
        ((5, None, None), 600, 1.0),
        ((5, 0, 5), 600, 1.0),
        ((1, 0, 0), 1, 2.0),
    ],
)
def test_alone_the_answer_takes_as_long_for_a_token_as_the_judge_did(
    judge: tuple[int | None, int | None, int | None], cached: int | None, seconds: float
) -> None:
    read, wrote, judge_cached = judge
    alone = asked_alone([call("verify", "l", read, wrote, judge_cached), call("large_answer", "l", 1050, 80, cached)])
    assert alone is not None
    assert alone.seconds == pytest.approx(seconds, rel=1e-9)


def test_what_an_answer_of_unknown_length_found_in_the_cache_is_what_the_judge_found() -> None:
    alone = asked_alone([call("verify", "l", 1100, 1, cached=200), call("large_answer", "l", None, 80)])
    assert alone is not None
    assert alone.usage.cached_input_tokens == 200


def test_an_estimated_answer_is_one_of_the_last_tier_that_took_no_time() -> None:
    expected = Call(stage="large_answer", model="l", usage=Usage(input_tokens=1000, output_tokens=50), seconds=0.0)
    assert estimated_large([SMALL], "l") == expected
