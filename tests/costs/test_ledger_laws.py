"""Laws of the ledger: sums of what is known, unknown where a part is, whatever the order."""

import math

from hypothesis import given
from hypothesis import strategies as st

from automix_graph.costs import Prices, summarise, total_cost
from automix_graph.recording.spending import Spent
from automix_graph.records import Bill, Call, Usage

# Multiples of a power of two, so that sums are exact in any order.
AMOUNTS = st.integers(0, 2**20).map(lambda number: number / 1024)
TOKENS = st.none() | st.integers(0, 10**6)
CALLS = st.lists(
    st.builds(
        Call,
        stage=st.sampled_from(["small_answer", "verify", "large_answer"]),
        model=st.sampled_from(["small", "large"]),
        usage=st.builds(
            Usage,
            input_tokens=TOKENS,
            output_tokens=TOKENS,
            cached_input_tokens=TOKENS,
            reasoning_tokens=TOKENS,
        ),
        seconds=AMOUNTS,
        cost=st.none() | AMOUNTS,
        error=st.none() | st.just("timeout"),
    ),
    max_size=6,
)
BILL = Bill(cost=None, at_least=0.0, always_large=None, estimated=True)


@given(CALLS, st.randoms(use_true_random=False))
def test_the_order_of_calls_does_not_matter(calls: list[Call], chance: object) -> None:
    shuffled = list(calls)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total_cost(shuffled) == total_cost(calls)
    sums, again = (
        {name: value for name, value in summarise(each, BILL).items() if name != "calls"} for each in (calls, shuffled)
    )
    assert sums == again


@given(CALLS)
def test_one_unknown_cost_and_nothing_else_makes_the_total_unknown(calls: list[Call]) -> None:
    known = [call.cost for call in calls if call.cost is not None]
    assert total_cost(calls) == (math.fsum(known) if len(known) == len(calls) else None)


@given(CALLS, CALLS)
def test_totals_of_parts_add_up(first: list[Call], second: list[Call]) -> None:
    parts = total_cost(first), total_cost(second)
    expected = None if parts[0] is None or parts[1] is None else parts[0] + parts[1]
    assert total_cost([*first, *second]) == expected
    one, two, both = (summarise(calls, BILL) for calls in (first, second, [*first, *second]))
    for name in ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "seconds"):
        assert both[name] == one[name] + two[name]
    assert both["calls_without_usage"] == sum(call.usage.input_tokens is None for call in [*first, *second])
    assert both["calls"] == one["calls"] + two["calls"]


SPENT = st.builds(Spent, cost=st.none() | AMOUNTS, at_least=AMOUNTS, seconds=AMOUNTS)


@given(SPENT, SPENT, SPENT)
def test_spending_is_a_sum_that_stays_unknown(first: Spent, second: Spent, third: Spent) -> None:
    assert first + second == second + first
    assert (first + second) + third == first + (second + third)
    assert first + Spent() == first
    assert ((first + second).cost is None) == (first.cost is None or second.cost is None)


@given(CALLS, st.tuples(AMOUNTS, AMOUNTS))
def test_a_call_without_tokens_has_no_cost(calls: list[Call], price: tuple[float, float]) -> None:
    charged = Prices({"small": price, "large": price}).charge(calls)
    for call, before in zip(charged, calls, strict=True):
        reported, written = before.usage.input_tokens, before.usage.output_tokens
        if reported is None or written is None or (before.usage.cached_input_tokens or 0) > reported:
            assert call.cost is None
        else:
            assert call.cost == (reported * price[0] + written * price[1]) / 1e6
