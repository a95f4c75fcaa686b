"""AIQ against the definition of RouterBench (arXiv 2403.12031, section 3): the best mixes, found by linear programs.

A router with a parameter is a set of points (cost, quality). Choosing between two of its settings by lot reaches every
point between theirs, and money may be left over; so the non-decreasing convex hull at a cost c is the most quality that
any lottery over the points has at an expected cost of at most c. AIQ is the area under it, divided by the range of
costs, c_max - c_min.

The code published with the paper (evaluation/AIQ.py) divides by c_max instead, takes c_max from the routers it was
given, and drops the costs at which quality falls, with the range. We follow the paper, and take the range from the two
models, so that cascades over the same two can be compared.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import ConvexHull
from tables_of_outcomes import GRADES, Row, priced_outcomes, rows_of, two_tiers

from automix_graph.evaluation import Ends, Outcomes, Undefined, aiq, escalation_curve, frontier

FACTORS = st.sampled_from([0.001, 0.3, 7.0, 1000.0])


def points_of(outcomes: Outcomes) -> np.ndarray:
    """Both models alone, and the cascade at every threshold, question by question; shape (points, 2)."""
    small, large = outcomes.tiers
    assert small.confidence is not None
    points = [(tier.cost.mean(), tier.quality.mean()) for tier in outcomes.tiers]
    for threshold in [*small.confidence, 2.0]:
        costs, qualities = [], []
        for question in range(outcomes.n):
            escalated = small.confidence[question] < threshold
            paid = small.cost[question] + small.verify_cost[question]
            costs.append(paid + large.cost[question] if escalated else paid)
            qualities.append(large.quality[question] if escalated else small.quality[question])
        points.append((np.mean(costs), np.mean(qualities)))
    return np.array(points)


def best_lottery(points: np.ndarray, budget: float) -> float:
    """The most expected quality of a lottery over the points whose expected cost is within the budget."""
    cost, quality = points.T
    found = linprog(-quality, A_ub=[cost], b_ub=[budget], A_eq=[np.ones(len(points))], b_eq=[1.0], bounds=(0, 1))
    assert found.success
    return float(-found.fun)


def our_aiq(outcomes: Outcomes) -> float:
    found = aiq(escalation_curve(outcomes), Ends.of(outcomes))
    assert isinstance(found, float)
    return found


def test_a_table_worked_out_by_hand() -> None:
    # Small (1, 1/2), large (21, 1); the cascade is at (2, 1/2), (12.5, 1) and (23, 1).
    outcomes = two_tiers([(0, 1, 0.1), (1, 1, 0.9)], small=1, large=21, verify=1)
    rising, flat = (0.5 + 1) / 2 * 11.5, 8.5
    assert our_aiq(outcomes) == pytest.approx((rising + flat) / 20)
    # Up to the cascade that escalates everything, and divided by its cost instead of the range: their code.
    theirs = (rising + 10.5) / 23
    assert theirs == pytest.approx(0.8315, abs=1e-4)
    assert our_aiq(outcomes) == pytest.approx(0.8563, abs=1e-4)


def test_quality_that_falls_leaves_the_best_so_far_to_the_end_of_the_range() -> None:
    # Small (1, 1/3), large (10, 2/3); escalating the first question gives (13/3, 2/3), both of the first (23/3, 1).
    outcomes = two_tiers([(0, 1, 0.1), (0, 1, 0.2), (1, 0, 0.9)], small=1, large=10, verify=0)
    area = (1 / 3 + 1) / 2 * (20 / 3) + (10 - 23 / 3) * 1
    assert our_aiq(outcomes) == pytest.approx(area / 9)


@settings(deadline=None, max_examples=40)
@given(priced_outcomes())
def test_it_is_the_area_under_the_best_lotteries(outcomes: Outcomes) -> None:
    ends = Ends.of(outcomes)
    if ends.large_cost <= ends.small_cost:
        assert isinstance(aiq(escalation_curve(outcomes), ends), Undefined)
        return
    points = points_of(outcomes)
    inside = (points[:, 0] >= ends.small_cost) & (points[:, 0] <= ends.large_cost)
    budgets = np.unique(points[inside, 0])
    # Straight between the costs of points, so that trapezoids are exact.
    heights = [best_lottery(points, budget) for budget in budgets]
    area = np.trapezoid(heights, budgets)
    assert our_aiq(outcomes) == pytest.approx(area / (ends.large_cost - ends.small_cost), abs=1e-6)


def test_the_frontier_of_many_points_is_the_upper_side_of_their_hull() -> None:
    generator = np.random.default_rng(0)
    cost = generator.random(500)
    quality = np.sqrt(cost) * generator.random(500)
    x, y = frontier(cost, quality)
    # The far corner makes the hull non-decreasing; the two below the points make its lower side.
    corners = [(cost.max(), quality.max()), (cost.min(), -1.0), (cost.max(), -1.0)]
    points = np.vstack([np.column_stack([cost, quality]), corners])
    upper = np.array(sorted(map(tuple, points[ConvexHull(points).vertices])))
    upper = upper[upper[:, 1] >= 0]
    assert len(upper) > 3
    assert y == pytest.approx(np.interp(x, upper[:, 0], upper[:, 1]))


POINTS = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=10).map(
    lambda points: np.round(np.array(points), 3)
)


@given(POINTS, POINTS)
def test_more_settings_never_lower_a_frontier(points: np.ndarray, more: np.ndarray) -> None:
    x, y = frontier(*points.T)
    wide, high = frontier(*np.vstack([points, more]).T)
    assert (np.interp(x, wide, high) >= y - 1e-9).all()


@given(POINTS)
def test_a_frontier_is_above_its_points_concave_and_its_own_frontier(points: np.ndarray) -> None:
    x, y = frontier(*points.T)
    assert (np.interp(points[:, 0], x, y) >= points[:, 1] - 1e-9).all()
    assert y.max() == pytest.approx(points[:, 1].max())
    slopes = np.diff(y) / np.diff(x)
    assert (slopes >= 0).all()
    assert (np.diff(slopes) <= 1e-6).all()
    assert frontier(x, y)[1] == pytest.approx(y)


@given(rows_of(GRADES), FACTORS, st.sampled_from([1, 3]))
def test_neither_the_unit_of_money_nor_copies_of_the_questions_change_it(
    rows: list[Row], unit: float, copies: int
) -> None:
    priced = two_tiers(rows * copies, small=unit, large=20 * unit, verify=0.15 * unit)
    assert our_aiq(priced) == pytest.approx(our_aiq(two_tiers(rows)))


@given(rows_of(GRADES))
def test_a_cheaper_verification_never_lowers_it(rows: list[Row]) -> None:
    found = [our_aiq(two_tiers(rows, verify=verify)) for verify in (0.0, 0.15, 1.0, 5.0, 40.0, 1e9)]
    assert found == pytest.approx(sorted(found, reverse=True))
    # One that nobody can pay leaves the line between the models, or the small one alone.
    small, large = (tier.quality.mean() for tier in two_tiers(rows).tiers)
    assert found[-1] == pytest.approx((small + max(small, large)) / 2)
