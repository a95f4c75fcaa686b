from itertools import groupby, permutations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tables_of_outcomes import (
    GRADES,
    Row,
    failing_verifications,
    judged,
    priced_outcomes,
    rows_of,
    three_tiers,
    two_tiers,
)

from automix_graph.evaluation import (
    Ends,
    Outcomes,
    Undefined,
    aiq,
    apgr,
    best_threshold,
    cpt,
    escalation_curve,
    replay,
)
from automix_graph.evaluation.lift import gain_over_random_mix
from automix_graph.policies import Threshold


def expected_path(outcomes: Outcomes) -> list[tuple[float, float]]:
    """Quality and cost after each single escalation, ties averaged over every order in which they may come."""
    small, large = outcomes.tiers
    assert small.confidence is not None
    confidence = small.confidence
    paths = [(list[int]())]
    for _, block in groupby(sorted(range(outcomes.n), key=lambda q: confidence[q]), key=lambda q: confidence[q]):
        orders = list(permutations(block))
        paths = [path + list(order) for path in paths for order in orders]
    totals = np.zeros((outcomes.n + 1, 2))
    for path in paths:
        quality, cost = small.quality.sum(), (small.cost + small.verify_cost).sum()
        totals[0] += quality, cost
        for step, question in enumerate(path, start=1):
            quality += large.quality[question] - small.quality[question]
            cost += large.cost[question]
            totals[step] += quality, cost
    return [tuple(row) for row in totals / len(paths) / outcomes.n]


def small_enough(outcomes: Outcomes) -> bool:
    return outcomes.n <= 5


@given(priced_outcomes().filter(small_enough))
def test_inside_a_tie_the_curve_is_the_mean_over_all_orders(outcomes: Outcomes) -> None:
    curve = escalation_curve(outcomes)
    shares = np.arange(outcomes.n + 1) / outcomes.n
    path = np.array(expected_path(outcomes))
    assert np.interp(shares, curve.share, curve.quality) == pytest.approx(path[:, 0])
    assert np.interp(shares, curve.share, curve.cost) == pytest.approx(path[:, 1])


@given(priced_outcomes())
def test_every_corner_is_what_a_threshold_does(outcomes: Outcomes) -> None:
    curve = escalation_curve(outcomes)
    for corner, threshold in enumerate(curve.thresholds):
        cascade = replay(outcomes, Threshold(float(threshold)))
        assert curve.share[corner] == pytest.approx(cascade.escalated)
        assert curve.quality[corner] == pytest.approx(cascade.quality.mean())
        assert curve.cost[corner] == pytest.approx(cascade.cost.mean())
    assert (curve.share[0], curve.share[-1]) == (0.0, 1.0)
    assert (np.diff(curve.share) > 0).all()
    assert (np.diff(curve.cost) >= -1e-12).all()


@given(rows_of(GRADES), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows: list[Row], random: "object") -> None:
    shuffled = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]  # hypothesis's Random
    found = []
    for some in (rows, shuffled):
        outcomes = two_tiers(some)
        curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
        found.append([apgr(curve, ends), cpt(curve, ends, 0.5), cpt(curve, ends, 0.8), aiq(curve, ends)])
    for one, other in zip(*found, strict=True):
        assert isinstance(one, Undefined) == isinstance(other, Undefined)
        if not isinstance(one, Undefined):
            assert one == pytest.approx(other)


@given(rows_of())
def test_apgr_and_cpt_are_those_of_a_fine_grid(rows: list[Row]) -> None:
    outcomes = two_tiers(rows)
    curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
    gap = fmean(row[1] for row in rows) - fmean(row[0] for row in rows)
    assume(gap > 0)
    # A grid of 1/(n·200) holds every corner, so the midpoints of its cells make the integral exact.
    edges = np.arange(len(rows) * 200 + 1) / (len(rows) * 200)
    middle = (edges[1:] + edges[:-1]) / 2
    recovered = (np.interp(middle, curve.share, curve.quality) - curve.quality[0]) / gap
    assert apgr(curve, ends) == pytest.approx(recovered.mean())
    for target in (0.5, 0.8, 1.0):
        at_edges = (np.interp(edges, curve.share, curve.quality) - curve.quality[0]) / gap
        first = edges[np.argmax(at_edges >= target - 1e-9)]
        found = cpt(curve, ends, target)
        assert isinstance(found, float)
        assert first - edges[1] - 1e-9 <= found <= first + 1e-9
    half, most = cpt(curve, ends, 0.5), cpt(curve, ends, 0.8)
    assert isinstance(half, float) and isinstance(most, float)
    assert 0.0 < half <= most <= 1.0


def test_one_confidence_for_all_is_chance() -> None:
    outcomes = two_tiers([(0, 1, 0.4), (1, 1, 0.4), (0, 0, 0.4), (0, 1, 0.4)])
    curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
    assert (apgr(curve, ends), cpt(curve, ends, 0.5), cpt(curve, ends, 0.8)) == (0.5, 0.5, 0.8)


def test_turning_a_confidence_around_mirrors_apgr() -> None:
    rows = [(0, 1, 0.1), (1, 1, 0.2), (0, 0, 0.6), (0, 1, 0.7), (1, 0, 0.9)]
    there, back = two_tiers(rows), two_tiers([(s, x, 1 - c) for s, x, c in rows])
    one, other = (apgr(escalation_curve(table), Ends.of(table)) for table in (there, back))
    assert isinstance(one, float) and isinstance(other, float)
    assert one + other == pytest.approx(1.0)


def test_a_perfect_confidence_recovers_the_gap_first() -> None:
    outcomes = two_tiers([(0, 1, 0.1), (1, 1, 0.7), (1, 1, 0.8), (1, 1, 0.9)])
    curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
    assert apgr(curve, ends) == pytest.approx(1 - 0.25 / 2)
    assert cpt(curve, ends, 1.0) == pytest.approx(0.25)


@pytest.mark.parametrize("helped", [1, 3, 7])
def test_rounding_does_not_move_a_target_that_is_hit_to_the_far_end(helped: int) -> None:
    for others in range(1, 60):
        outcomes = two_tiers([(0, 1, 0.1)] * helped + [(1, 1, 0.9)] * others)
        found = cpt(escalation_curve(outcomes), Ends.of(outcomes), 1.0)
        assert found == pytest.approx(helped / (helped + others))


def test_no_gap_leaves_the_curve_without_measures() -> None:
    outcomes = two_tiers([(1, 0, 0.1), (1, 1, 0.7)])
    curve, ends = escalation_curve(outcomes), Ends.of(outcomes)
    for found in (apgr(curve, ends), cpt(curve, ends, 0.5), best_threshold(curve, ends)):
        assert isinstance(found, Undefined)
        assert "no gap" in found.reason


@given(rows_of(GRADES))
def test_no_threshold_beats_the_best_in_hindsight(rows: list[Row]) -> None:
    outcomes = two_tiers(rows, verify=0.0)
    ends = Ends.of(outcomes)
    best = best_threshold(escalation_curve(outcomes), ends)
    assume(isinstance(best, float))
    assert isinstance(best, float) and isinstance(ends.slope, float)
    worth = {t: replay(outcomes, Threshold(t)) for t in {best, *(row[2] for row in rows)}}
    value = {t: found.quality.mean() - ends.slope * found.cost.mean() for t, found in worth.items()}
    assert value[best] == pytest.approx(max(value.values()))
    if worth[best].cost.mean() <= ends.large_cost:
        over_line = value[best] - (ends.small_quality - ends.slope * ends.small_cost)
        assert gain_over_random_mix(ends, worth[best]) == pytest.approx(over_line)


@given(three_tiers())
def test_a_curve_is_of_two_tiers(outcomes: Outcomes) -> None:
    with pytest.raises(ValueError, match="needs two tiers; these outcomes have 3"):
        escalation_curve(outcomes)


@pytest.mark.parametrize("target", [0.0, 1.5, -1.0])
def test_a_target_beyond_the_gap_is_refused(target: float) -> None:
    outcomes = two_tiers([(0, 1, 0.5)])
    with pytest.raises(ValueError, match=f"target {target}"):
        cpt(escalation_curve(outcomes), Ends.of(outcomes), target)


@given(failing_verifications())
def test_questions_whose_verification_failed_escalate_first(outcomes: Outcomes) -> None:
    curve = escalation_curve(outcomes)
    possible = [corner for corner, threshold in enumerate(curve.thresholds) if np.isfinite(threshold)]
    for corner in possible:
        cascade = replay(outcomes, Threshold(float(curve.thresholds[corner])))
        assert curve.share[corner] == pytest.approx(cascade.escalated)
        assert curve.quality[corner] == pytest.approx(cascade.quality.mean())
        assert curve.cost[corner] == pytest.approx(cascade.cost.mean())
    best = best_threshold(curve, Ends.of(outcomes))
    if not possible:
        assert isinstance(best, Undefined)
    elif isinstance(best, float):
        assert best in curve.thresholds[possible]


def test_no_threshold_is_best_where_every_verification_failed() -> None:
    outcomes = judged([(0, 1, None), (1, 1, None)])
    found = best_threshold(escalation_curve(outcomes), Ends.of(outcomes))
    assert isinstance(found, Undefined)
    assert "every verification failed" in found.reason
