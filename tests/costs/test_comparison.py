"""Layouts side by side."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.costs import (
    Plan,
    Price,
    Prices,
    PromptTokens,
    VerifierLayout,
    Workload,
    compare_layouts,
    default_layouts,
    layouts_of,
)
from automix_graph.costs.layouts import Judge
from automix_graph.errors import ConfigurationError

WORKLOAD = Workload(
    context=3000,
    question=30,
    small_answer=60,
    large_answer=80,
    prompts=PromptTokens(answer=100, verify=900, shared=800, shared_answer=10, shared_verify=50),
    evidence=300,
)
LABELS: dict[Judge, str] = {"small": "s", "large": "l", "third": "t"}
PRICES = {"s": Price(1, 4, 0.1), "l": Price(5, 20, 0.5), "t": Price(0.5, 2)}
LAYOUTS = default_layouts(own_server=True)


def planned(
    prices: dict[str, Price] = PRICES,
    *,
    accept_rate: float = 0.6,
    layouts: tuple[VerifierLayout, ...] = LAYOUTS,
    workload: Workload = WORKLOAD,
) -> Plan:
    return compare_layouts(layouts, workload, LABELS, Prices(prices), accept_rate=accept_rate)


def test_a_row_is_worked_out_by_hand() -> None:
    (row,) = planned(layouts=(VerifierLayout(judge="large", reads="shared"),)).rows
    costs = row.costs
    million = 1_000_000
    assert costs.small == pytest.approx((3130 * 1 + 60 * 4) / million)
    assert costs.verify == pytest.approx((3940 * 5 + 2 * 20) / million)
    assert costs.escalate == pytest.approx((10 * 5 + 3830 * 0.5 + 80 * 20) / million)
    assert costs.always_large == pytest.approx((3130 * 5 + 80 * 20) / million)
    assert costs.expected(0.6) == pytest.approx((3370 + 19740 + 0.4 * 3565) / million)
    assert costs.can_pay is False  # 3370 + 19740 > 17250


def test_the_cheapest_comes_first() -> None:
    plan = planned()
    expected = [row.costs.expected(0.6) for row in plan.rows]
    assert expected == sorted(expected)  # type: ignore[type-var]  # all are known
    assert plan.cheapest is plan.rows[0]
    assert len(plan.rows) == len(LAYOUTS)


def test_long_answers_make_a_shared_prefix_pay() -> None:
    long = dataclasses.replace(WORKLOAD, large_answer=2000)
    plan = planned(layouts=(VerifierLayout(judge="large", reads="shared"),), workload=long)
    assert plan.outlook == "pays"


def test_the_outlook_follows_the_accept_rate() -> None:
    layouts = (VerifierLayout(judge="small", reads="shared"),)
    plan = planned(layouts=layouts)
    assert plan.outlook == "pays"
    assert plan.earliest is not None
    start = plan.earliest.costs.break_even_accept_rate
    assert start is not None
    assert planned(layouts=layouts, accept_rate=start + 0.01).outlook == "pays"
    assert planned(layouts=layouts, accept_rate=start - 0.01).outlook == "pays at a higher accept rate"


def test_models_of_one_price_never_pay() -> None:
    plan = planned(dict.fromkeys(PRICES, Price(1, 4, 0.1)), accept_rate=1.0)
    assert plan.outlook == "never pays"
    assert plan.earliest is None


def test_unknown_prices_leave_rows_unknown_and_last() -> None:
    plan = planned({"s": PRICES["s"], "l": PRICES["l"]})
    third = [row.layout.judge == "third" for row in plan.rows]
    assert third == sorted(third)
    assert all(row.costs.expected(0.6) is None for row in plan.rows if row.layout.judge == "third")
    assert plan.outlook == "pays"
    assert planned({}).outlook == "unknown"
    assert planned({}).cheapest is None
    assert planned({"s": PRICES["s"]}).outlook == "unknown"


def test_what_is_not_there_is_left_out() -> None:
    two: dict[Judge, str] = {"small": "s", "large": "l"}
    blind = dataclasses.replace(WORKLOAD, evidence=None)
    plan = compare_layouts(LAYOUTS, blind, two, Prices(PRICES), accept_rate=0.5)
    assert not any(row.layout.judge == "third" or row.layout.reads == "evidence" for row in plan.rows)
    with pytest.raises(ConfigurationError, match="no verifier layout"):
        compare_layouts([], blind, two, Prices(PRICES), accept_rate=0.5)


number = st.floats(min_value=0.01, max_value=100)
priced = st.builds(lambda full, output, share: Price(full, output, full * share), number, number, st.floats(0, 1))


@given(st.fixed_dictionaries({"s": priced, "l": priced, "t": priced}), st.floats(0, 1), st.sampled_from([0.125, 8, 64]))
def test_a_common_factor_of_all_prices_changes_nothing_but_the_costs(
    prices: dict[str, Price], accept_rate: float, factor: float
) -> None:
    # Powers of two, so that rounding cannot part what is equal.
    scaled = {label: Price(*(factor * number for number in price)) for label, price in prices.items()}  # type: ignore[operator]
    plan, other = planned(prices, accept_rate=accept_rate), planned(scaled, accept_rate=accept_rate)
    for row, same in zip(plan.rows, other.rows, strict=True):
        mine, theirs = row.costs, same.costs
        assert theirs.expected(accept_rate) == pytest.approx(factor * mine.expected(accept_rate))  # type: ignore[operator]
        assert theirs.break_even_accept_rate == pytest.approx(mine.break_even_accept_rate)
        assert theirs.needed_gap_share(accept_rate) == pytest.approx(mine.needed_gap_share(accept_rate))
    assert [row.layout for row in plan.rows] == [row.layout for row in other.rows]


@given(st.fixed_dictionaries({"s": priced, "l": priced, "t": priced}))
def test_reading_less_or_from_a_cache_never_costs_more(prices: dict[str, Price]) -> None:
    costs = {
        (row.layout.judge, row.layout.reads): row.costs for row in planned(prices, layouts=layouts_of(["short"])).rows
    }
    for judge in ("small", "large", "third"):
        evidence, full = costs[judge, "evidence"].expected(0.5), costs[judge, "full"].expected(0.5)
        assert evidence <= full  # type: ignore[operator]
    assert costs["large", "shared"].escalate <= costs["large", "full"].escalate + 720 * prices["l"].input / 1e6  # type: ignore[operator]


def test_list_prices_are_used_by_the_name_of_a_model() -> None:
    labels: dict[Judge, str] = {"small": "openai:gpt-5-mini", "large": "openai:gpt-5"}
    plan = compare_layouts(layouts_of(["short"]), WORKLOAD, labels, Prices(), accept_rate=0.8)
    listed = Prices()
    given_prices = {label: listed.price(label) for label in labels.values()}
    same = compare_layouts(
        layouts_of(["short"]),
        WORKLOAD,
        labels,
        Prices(given_prices),
        accept_rate=0.8,  # type: ignore[arg-type]
    )
    for row, other in zip(plan.rows, same.rows, strict=True):
        assert row.layout == other.layout
        assert row.costs.expected(0.8) == pytest.approx(other.costs.expected(0.8))
    assert plan.outlook != "unknown"


def test_a_comparison_checks_its_numbers() -> None:
    told = "^accept_rate is 1.5; use a number from 0 to 1$"
    with pytest.raises(ConfigurationError, match=told):
        planned(accept_rate=1.5)
    with pytest.raises(ConfigurationError, match=told):
        Plan(accept_rate=1.5, rows=planned().rows)
    with pytest.raises(ConfigurationError, match=r"^there is no verifier layout to compare; give at least one$"):
        Plan(accept_rate=0.5, rows=())


def test_a_row_names_its_judge_and_knows_what_each_model_costs_alone() -> None:
    for row in planned().rows:
        assert row.model == LABELS[row.layout.judge]
        assert row.costs.always_small == pytest.approx((3130 * 1 + 60 * 4) / 1e6)
        assert row.costs.always_large == pytest.approx((3130 * 5 + 80 * 20) / 1e6)
