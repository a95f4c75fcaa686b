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
