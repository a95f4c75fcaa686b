import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_of_outcomes import priced_outcomes, two_tiers

from automix_graph.costs import QuestionCosts
from automix_graph.evaluation import Ends, Outcomes, Tier, Undefined, ibc, ibc_lift, pgr, random_mix, replay
from automix_graph.evaluation.lift import break_even_pgr, gain_over_random_mix
from automix_graph.policies import AcceptCorrect

# Four questions: the small model is right on two, the large one on all; one of the two mistakes is escalated.
CASE = two_tiers([(1, 1, 0.9), (1, 1, 0.8), (0, 1, 0.7), (0, 1, 0.2)])


def test_a_case_worked_out_by_hand() -> None:
    ends, cascade = Ends.of(CASE), replay(CASE, AcceptCorrect())
    # quality 3/4, cost 1 + 0.15 + 20/4 = 6.15
    assert ibc(ends, cascade) == pytest.approx(0.25 / 5.15)
    assert ends.slope == pytest.approx(0.5 / 19)
    assert ibc_lift(ends, cascade) == pytest.approx((0.25 / 5.15 - 0.5 / 19) / (0.5 / 19))
    assert pgr(ends, 0.75) == pytest.approx(0.5)
    assert break_even_pgr(ends, 6.15) == pytest.approx((0.15 + 0.25 * 20) / (20 - 1))
    mix = random_mix(ends, 6.15)
    assert not isinstance(mix, Undefined)
    assert (mix.share_large, mix.cost) == (pytest.approx(5.15 / 19), pytest.approx(6.15))
    assert gain_over_random_mix(ends, cascade) == pytest.approx(0.75 - (0.5 + 0.5 * 5.15 / 19))


def test_a_cascade_dearer_than_the_large_model_is_compared_with_that() -> None:
    mix = random_mix(Ends.of(CASE), 25.0)
    assert not isinstance(mix, Undefined)
    assert (mix.share_large, mix.quality, mix.cost) == (1.0, 1.0, 20.0)


@given(priced_outcomes())
def test_the_formulas_hold_wherever_they_are_defined(outcomes: Outcomes) -> None:
    ends, cascade = Ends.of(outcomes), replay(outcomes, AcceptCorrect())
    p_s, p_l = (np.mean(tier.quality) for tier in outcomes.tiers)
    c_s, c_l = (np.mean(tier.cost) for tier in outcomes.tiers)
    p_m, c_m = cascade.quality.mean(), cascade.cost.mean()
    found, lift = ibc(ends, cascade), ibc_lift(ends, cascade)
    if isinstance(found, Undefined):
        assert p_l <= p_s or cascade.escalated == 0 or c_m <= c_s
        assert isinstance(lift, Undefined)
    else:
        assert p_l > p_s and cascade.escalated > 0 and c_m > c_s
        assert found == pytest.approx((p_m - p_s) / (c_m - c_s))
        assert isinstance(lift, Undefined) == (c_l <= c_s)
    if not isinstance(lift, Undefined):
        base = (p_l - p_s) / (c_l - c_s)
        assert lift == pytest.approx((found - base) / base)
        # The lift is positive exactly if more of the gap is recovered than breaks even.
        recovered, needed = pgr(ends, p_m), break_even_pgr(ends, c_m)
        assert isinstance(recovered, float) and isinstance(needed, float)
        assert (lift > 1e-9) == (recovered - needed > 1e-9 * needed)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, 0, 0.1), (1, 1, 0.9)], "not better than the small one"),
        ([(1, 0, 0.1), (0, 1, 0.9)], "not better than the small one"),
        ([(0, 1, 0.9), (1, 1, 0.8)], "nothing was escalated"),
    ],
)
def test_undefined_is_said_with_the_reason(rows: list[tuple[float, float, float]], reason: str) -> None:
    outcomes = two_tiers(rows)
    for measure in (ibc, ibc_lift):
        found = measure(Ends.of(outcomes), replay(outcomes, AcceptCorrect()))
        assert isinstance(found, Undefined)
        assert reason in found.reason


def test_equal_qualities_in_another_order_are_no_gap() -> None:
    values = np.random.default_rng(0).random(1000)
    rows = [(a, b, c) for a, b, c in zip(values, values[::-1], np.linspace(0, 1, 1000), strict=True)]
    outcomes = two_tiers(rows)
    assert isinstance(Ends.of(outcomes).gap, Undefined)


@given(st.floats(0, 5), st.floats(0, 5))
def test_costs_that_leave_no_line_between_the_models(small: float, large: float) -> None:
    ends = Ends(small_quality=0.5, small_cost=small, large_quality=0.9, large_cost=large)
    assert isinstance(ends.slope, Undefined) == isinstance(random_mix(ends, 3.0), Undefined)
    if large <= small:
        assert isinstance(ends.slope, Undefined)
        assert "costs no more" in ends.slope.reason


def test_each_end_costs_what_its_model_costs_alone() -> None:
    small = Tier(name="small", quality=[0, 1], cost=2, alone_cost=1, confidence=[0.1, 0.9], verify_cost=3)
    large = Tier(name="large", quality=[1, 1], cost=[4, 6], alone_cost=[10, 12])
    outcomes = Outcomes(tiers=(small, large))
    ends, cascade = Ends.of(outcomes), replay(outcomes, AcceptCorrect())
    assert (ends.small_cost, ends.large_cost) == (1, 11)
    assert cascade.cost.tolist() == [2 + 3 + 4, 2 + 3]
    assert random_mix(ends, 7.0) == random_mix(Ends(small_quality=0.5, small_cost=1, large_quality=1, large_cost=11), 7)
    assert break_even_pgr(ends, 7.0) == pytest.approx((7 - 1) / (11 - 1))


@given(st.floats(0.1, 5), st.floats(0, 5), st.floats(0.1, 20), st.floats(6, 30), st.floats(0, 1))
def test_a_plan_foretells_what_is_needed_to_break_even(
    small: float, verify: float, escalate: float, large: float, rate: float
) -> None:
    costs = QuestionCosts(small=small, verify=verify, escalate=escalate, always_small=small, always_large=large)
    ends = Ends(small_quality=0, small_cost=small, large_quality=1, large_cost=large)
    expected = costs.expected(rate)
    assert expected is not None
    assert break_even_pgr(ends, expected) == pytest.approx(costs.needed_gap_share(rate))
