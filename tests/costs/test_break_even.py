"""The arithmetic of one question, against numbers worked out by hand and against what must hold for all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.costs import QuestionCosts
from automix_graph.errors import ConfigurationError

amounts = st.floats(min_value=0, max_value=1e3)
rates = st.floats(min_value=0, max_value=1)


def units(verify: float, large: float, escalate: float | None = None) -> QuestionCosts:
    return QuestionCosts(
        small=1,
        verify=verify,
        escalate=large if escalate is None else escalate,
        always_small=1,
        always_large=large,
    )


any_costs = st.builds(
    QuestionCosts, small=amounts, verify=amounts, escalate=amounts, always_small=amounts, always_large=amounts
)


def test_a_question_costs_its_parts() -> None:
    costs = units(verify=4, large=20)
    assert (costs.accepted, costs.escalated) == (5, 25)
    assert [costs.expected(rate) for rate in (0, 0.5, 1)] == [25, 15, 5]


def test_it_pays_above_the_rate_at_which_the_margin_covers_the_escalations() -> None:
    # 1 + 4 + (1 - a) * 20 = 20 at a = 1/4
    costs = units(verify=4, large=20)
    assert costs.break_even_accept_rate == pytest.approx(0.25)
    assert costs.can_pay
    assert not costs.pays(0.25)
    assert costs.pays(0.26)


def test_a_cached_escalation_lowers_the_rate() -> None:
    # 1 + 4 + (1 - a) * 16 = 20 at a = 1/16
    assert units(verify=4, large=20, escalate=16).break_even_accept_rate == pytest.approx(1 / 16)
    assert units(verify=4, large=20, escalate=10).break_even_accept_rate == 0


@pytest.mark.parametrize("verify", [19, 40])
def test_a_verification_that_eats_the_saving_never_pays(verify: float) -> None:
    costs = units(verify=verify, large=20)
    assert costs.can_pay is False
    assert costs.break_even_accept_rate is None
    assert not costs.pays(1)


@given(st.floats(0, 50), st.floats(1.5, 100), rates)
def test_the_needed_share_is_that_of_the_formula(verify: float, large: float, rate: float) -> None:
    # With costs small 1, verification v, large c and escalated share e: (v + e c) / (c - 1).
    formula = (verify + (1 - rate) * large) / (large - 1)
    assert units(verify, large).needed_gap_share(rate) == pytest.approx(formula)


def test_no_share_is_needed_of_a_gap_that_costs_nothing() -> None:
    assert units(verify=0, large=1).needed_gap_share(0.5) is None


@given(any_costs, rates, rates)
def test_more_accepted_answers_never_cost_more(costs: QuestionCosts, one: float, other: float) -> None:
    less, more = costs.expected(max(one, other)), costs.expected(min(one, other))
    assert less is not None
    assert more is not None
    assert less <= more


@given(any_costs)
def test_at_break_even_the_costs_are_equal(costs: QuestionCosts) -> None:
    rate = costs.break_even_accept_rate
    if rate is None:
        assert not costs.can_pay
        assert not costs.pays(1)
        return
    expected = costs.expected(rate)
    assert expected is not None
    assert costs.always_large is not None
    if rate > 0:
        assert expected == pytest.approx(costs.always_large, rel=1e-9, abs=1e-9)
    else:
        assert expected <= costs.always_large + 1e-9


@given(st.floats(0, 50), st.floats(1.5, 100), rates)
def test_less_than_the_whole_gap_is_needed_exactly_where_it_pays(verify: float, large: float, rate: float) -> None:
    costs = units(verify, large)
    share, expected = costs.needed_gap_share(rate), costs.expected(rate)
    assert share is not None
    assert expected is not None
    if not math.isclose(expected, large):
        assert costs.pays(rate) is (share < 1)


def test_a_saving_pays_for_errors_and_a_loss_must_be_earned() -> None:
    costs = units(verify=4, large=20)
    assert costs.affordable_errors(0.5, price_of_error=100) == pytest.approx(0.05)
    assert costs.affordable_errors(0, price_of_error=100) == pytest.approx(-0.05)


@pytest.mark.parametrize("unknown", ["small", "verify", "escalate", "always_small", "always_large"])
def test_what_needs_an_unknown_cost_is_unknown(unknown: str) -> None:
    known = {"small": 1.0, "verify": 4.0, "escalate": 20.0, "always_small": 1.0, "always_large": 20.0}
    costs = QuestionCosts(**(known | {unknown: None}))
    assert costs.needed_gap_share(0.5) is None
    if unknown != "always_small":
        assert costs.pays(0.5) is None
        assert costs.break_even_accept_rate is None
        assert costs.affordable_errors(0.5, 1.0) is None
    if unknown in {"small", "verify"}:
        assert (costs.accepted, costs.escalated, costs.expected(0.5), costs.can_pay) == (None, None, None, None)


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan, True, "0.5", None])
def test_a_rate_that_is_none_is_refused(rate: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^accept_rate is .*; use a number from 0 to 1$"):
        units(4, 20).expected(rate)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("price", [0, -1, math.nan, math.inf])
def test_a_price_of_error_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        units(4, 20).affordable_errors(0.5, price)
