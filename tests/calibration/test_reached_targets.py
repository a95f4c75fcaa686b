"""What a price of errors, a budget and a floor come to on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from tables_to_calibrate import drawn, middling, sharp, three_tiers, two_tiers

from automix_graph.calibration import MaxCost, MinQuality, PriceOfError, calibrate
from automix_graph.calibration.cross_validation import HeldOut
from automix_graph.calibration.expectations import corrected
from automix_graph.calibration.families import families_for, fit
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.evaluation import replay
from automix_graph.policies import Threshold


def test_a_price_of_errors_finds_the_cut() -> None:
    found = calibrate(sharp(), PriceOfError(1000))
    assert isinstance(found.policy, Threshold)
    assert found.policy.minimum == pytest.approx(0.4, abs=0.01)
    # 1 + 0.5 for all, 20 for the 40 percent below the cut.
    assert found.expected.cost.estimate == pytest.approx(9.5, abs=0.3)
    assert found.expected.quality.estimate == pytest.approx(1.0, abs=0.02)


def test_a_low_price_of_errors_escalates_nothing() -> None:
    # Escalating costs 20, and mends at most one answer.
    found = calibrate(sharp(), PriceOfError(19))
    assert found.expected.escalated.estimate == 0.0
    assert "Nothing escalates" in " ".join(found.notes)


def test_a_budget_is_spent_on_the_least_sure_and_not_exceeded() -> None:
    outcomes = sharp()
    found = calibrate(outcomes, MaxCost(5.5))
    cascade = replay(outcomes, found.policy)
    assert 5.2 < cascade.cost.mean() <= 5.5  # 20 percent may escalate: 1.5 + 0.2 x 20
    assert cascade.quality.mean() == pytest.approx(0.6 + cascade.escalated)


def test_a_budget_beyond_need_is_not_spent() -> None:
    outcomes = sharp()
    cascade = replay(outcomes, calibrate(outcomes, MaxCost(100)).policy)
    assert cascade.cost.mean() == pytest.approx(9.5, abs=0.3)


def test_a_floor_is_reached_at_the_least_cost() -> None:
    outcomes = sharp()
    cascade = replay(outcomes, calibrate(outcomes, MinQuality(0.8)).policy)
    assert 0.8 <= cascade.quality.mean() < 0.83
    assert cascade.cost.mean() < 6.2


def test_a_floor_below_the_small_model_is_met_by_escalating_nothing() -> None:
    # A band that rises above the floor would be worth its cost, and is not what was asked for.
    found = calibrate(middling(1500), MinQuality(0.3))
    assert found.expected.escalated.estimate == 0.0
    assert "'small' alone is at least as good" in " ".join(found.notes)


def test_budgets_are_respected_and_spent_in_the_mean_of_many_calibrations() -> None:
    population = drawn(20_000, seed=99)
    simple = families_for(2)["threshold"]
    spent = []
    for seed in range(30):
        rows = QuestionRows.of(drawn(150, seed=seed), None)
        spent.append(replay(population, fit(simple, rows, MaxCost(9)).policy).cost.mean())
    assert 8.0 < np.mean(spent) <= 9.0


def test_a_dip_in_few_rows_leaves_no_budget_unspent() -> None:
    # The least sure ten lose one answer by escalating, the next ten win all: together they are worth their cost.
    sure = np.repeat([0.1, 0.3, 0.9], 10)
    small = np.repeat([0.0, 0.0, 1.0], 10)
    small[0] = 1.0
    large = np.repeat([0.0, 1.0, 1.0], 10)
    outcomes = two_tiers(sure, small, large)
    budget = MaxCost(1.5 + 20 / 3)
    policy = fit(families_for(2)["threshold"], QuestionRows.of(outcomes, None), budget).policy
    assert replay(outcomes, policy).cost.mean() == pytest.approx(budget.cost)


def test_a_target_is_corrected_by_what_held_out_rows_missed_it_by() -> None:
    held = HeldOut(quality=np.array([0.7, 0.8]), cost=np.array([8.0, 10.0]), escalated=np.zeros(2))
    assert corrected(MinQuality(0.8), held).as_dict()["quality"] == pytest.approx(0.85)
    assert corrected(MinQuality(0.7), held) == MinQuality(0.7)
    assert corrected(MaxCost(8.5), held) == MaxCost(8.0)
    assert corrected(MaxCost(9.5), held) == MaxCost(9.5)
    assert corrected(PriceOfError(9), held) == PriceOfError(9)


def test_a_floor_that_held_out_rows_miss_is_aimed_higher() -> None:
    outcomes, floor = drawn(300, seed=5), 0.8
    found = calibrate(outcomes, MinQuality(floor))
    # What is shown is what held-out rows came to under the target that was aimed at in the end.
    assert found.expected.quality.estimate is not None
    assert found.expected.quality.estimate > floor - 0.02
    assert replay(outcomes, found.policy).quality.mean() >= floor


def test_three_tiers_meet_a_budget() -> None:
    outcomes = three_tiers()
    found = calibrate(outcomes, MaxCost(7.0))
    cascade = replay(outcomes, found.policy)
    assert cascade.cost.mean() <= 7.0
    # 0.5 answered by a, up to 0.3 by b, the rest by c: all right costs 1.5 + 0.5 x 4.5 + 0.2 x 20 = 7.75.
    assert cascade.quality.mean() > 0.9
    assert [each.family for each in found.compared] == ["threshold", "per-tier", "optimal-stopping", "pomdp"]


def test_three_tiers_weigh_a_price_of_errors() -> None:
    outcomes = three_tiers()
    cascade = replay(outcomes, calibrate(outcomes, PriceOfError(1000)).policy)
    assert cascade.quality.mean() > 0.97
    assert cascade.cost.mean() < 9.0
