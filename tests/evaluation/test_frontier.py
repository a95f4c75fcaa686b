from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_of_outcomes import priced_outcomes, two_tiers

from automix_graph.evaluation import Ends, Outcomes, Undefined, aiq, escalation_curve, frontier

POINTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]), st.sampled_from([0.0, 0.2, 0.25, 0.6, 1.0])),
    min_size=1,
    max_size=9,
)


def best_mix(points: list[tuple[float, float]], budget: float) -> float:
    """The best expected quality of two points mixed at random, at an expected cost of no more than a budget."""
    best = 0.0
    for one, other in combinations_with_replacement(points, 2):
        (low, below), (high, above) = sorted([one, other])
        if high <= budget:
            best = max(best, below, above)
        elif low <= budget:
            best = max(best, below, below + (budget - low) / (high - low) * (above - below))
    return best


@given(POINTS)
def test_the_frontier_is_the_best_mix_for_each_cost(points: list[tuple[float, float]]) -> None:
    x, y = frontier(np.array([cost for cost, _ in points]), np.array([quality for _, quality in points]))
    for budget in [*x, *(x[1:] + x[:-1]) / 2]:
        assert np.interp(budget, x, y) == pytest.approx(best_mix(points, budget))
    assert (np.diff(y) >= 0).all()


def outside_points(outcomes: Outcomes) -> list[tuple[float, float]]:
    curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
    models = [(ends.small_cost, ends.small_quality), (ends.large_cost, ends.large_quality)]
    return models + list(zip(curve.cost.tolist(), curve.quality.tolist(), strict=True))


@given(priced_outcomes())
def test_aiq_is_the_mean_of_the_best_mix_between_the_models(outcomes: Outcomes) -> None:
    ends, found = Ends.of(outcomes), aiq(escalation_curve(outcomes), Ends.of(outcomes))
    if ends.large_cost <= ends.small_cost:
        assert isinstance(found, Undefined)
        return
    assert isinstance(found, float)
    points = outside_points(outcomes)
    corners = {cost for cost, _ in points if ends.small_cost <= cost <= ends.large_cost}
    budgets = np.array(sorted(corners))
    mixes = np.array([best_mix(points, budget) for budget in budgets])
    integral = ((mixes[1:] + mixes[:-1]) / 2 * np.diff(budgets)).sum()
    assert found == pytest.approx(integral / (ends.large_cost - ends.small_cost), abs=1e-6)
    # Never worse than mixing the models at random, never better than knowing each best answer.
    best_always = np.maximum(*(tier.quality for tier in outcomes.tiers)).mean()
    assert (ends.small_quality + ends.large_quality) / 2 <= found + 1e-9
    assert found <= best_always + 1e-9


def test_a_useless_confidence_gets_the_mean_of_the_models() -> None:
    outcomes = two_tiers([(0, 1, 0.5), (1, 1, 0.5)])
    assert aiq(escalation_curve(outcomes), Ends.of(outcomes)) == pytest.approx(0.75)


def test_one_cost_is_a_frontier_of_one_point() -> None:
    x, y = frontier(np.array([2.0, 2.0]), np.array([0.1, 0.4]))
    assert (x.tolist(), y.tolist()) == ([2.0], [0.4])
