from dataclasses import replace

from automix_graph.costs import summarise, total_cost
from automix_graph.records import Bill, Call, Usage


def call(usage: Usage | None = None, cost: float | None = None) -> Call:
    usage = usage or Usage(input_tokens=1_000_000, output_tokens=100_000, cached_input_tokens=400_000)
    return Call(stage="verify", model="local:x", usage=usage, seconds=1.0, cost=cost)


def test_one_unknown_cost_makes_the_total_unknown() -> None:
    assert total_cost([call(cost=1.0), call(cost=2.0)]) == 3.0
    assert total_cost([call(cost=1.0), call(cost=None)]) is None
    bill = Bill(cost=None, at_least=1.0, always_large=3.0, estimated=True)
    assert summarise([call(cost=1.0), call(cost=None, usage=Usage())], bill) | {"calls": []} == {
        "calls": [],
        "input_tokens": 1_000_000,
        "cached_input_tokens": 400_000,
        "output_tokens": 100_000,
        "reasoning_tokens": 0,
        "calls_without_usage": 1,
        "seconds": 2.0,
        "cost_at_least": 1.0,
        "always_large_cost": 3.0,
        "always_large_estimated": True,
        "saved": None,
    }


def test_a_call_is_plain_data_with_its_tokens_beside_the_rest() -> None:
    bill = Bill(cost=1.0, at_least=1.0, always_large=3.0, estimated=False)
    usage = Usage(input_tokens=7, output_tokens=5, cached_input_tokens=3, cache_write_tokens=2, reasoning_tokens=1)
    (plain,) = summarise([call(usage=usage, cost=1.0)], bill)["calls"]
    assert plain == {
        "stage": "verify",
        "model": "local:x",
        "seconds": 1.0,
        "cost": 1.0,
        "error": None,
        "cached": False,
        "input_tokens": 7,
        "output_tokens": 5,
        "cached_input_tokens": 3,
        "cache_write_tokens": 2,
        "reasoning_tokens": 1,
    }


def test_what_a_cache_replied_takes_time_and_no_tokens() -> None:
    bill = Bill(cost=1.0, at_least=1.0, always_large=3.0, estimated=False)
    usage = Usage(input_tokens=7, output_tokens=5, cached_input_tokens=3, reasoning_tokens=1)
    calls = [call(usage=usage, cost=1.0), *(replace(call(usage=used), cached=True) for used in (usage, Usage()))]
    found = summarise(calls, bill)
    assert [found[f"{kind}_tokens"] for kind in ("input", "cached_input", "output", "reasoning")] == [7, 3, 5, 1]
    assert (found["calls_without_usage"], found["seconds"], found["saved"]) == (0, 3.0, 2.0)
    assert [each["cached"] for each in found["calls"]] == [False, True, True]
