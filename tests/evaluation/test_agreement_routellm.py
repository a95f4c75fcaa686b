"""PGR, APGR and CPT against the definitions of RouteLLM (arXiv 2406.18665, section 3), by sweeping every threshold.

There, a router sends a question to the strong model if its score reaches a threshold; here the score is one minus the
confidence in the small answer. Each threshold has a share of strong calls c and PGR = (quality - weak)/(strong - weak).

- APGR is the integral of PGR over c. The paper approximates it by the mean of PGR at ten shares, its code
  (routellm/evals/evaluate.py) by trapezoids between the shares at ten quantiles of the score. We integrate between all
  thresholds, of which both are coarser forms.
- CPT(x) is the least share at which PGR reaches x. The code reads it off by interpolating the share as a function of
  the quality, which it is only where more calls are always better; we follow the paper.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tables_of_outcomes import CONFIDENCES, GRADES, Row, rows_of, two_tiers

from automix_graph.evaluation import Ends, Measured, Undefined, apgr, cpt, escalation_curve, pgr

Point = tuple[Fraction, Fraction]

# Weak 1/4, strong 3/4. The second and the third call change nothing.
CASE = [(0.0, 1.0, 0.1), (1.0, 1.0, 0.4), (0.0, 0.0, 0.6), (0.0, 1.0, 0.9)]


def swept(rows: Sequence[Row]) -> list[Point]:
    """Share of strong calls and PGR at every threshold, in exact numbers."""
    exact = [tuple(map(Fraction, row)) for row in rows]
    n = len(exact)
    weak, strong = sum(row[0] for row in exact) / n, sum(row[1] for row in exact) / n
    points = []
    for threshold in sorted({row[2] for row in exact} | {Fraction(2)}):
        called = [row[2] < threshold for row in exact]
        quality = sum(row[1] if call else row[0] for row, call in zip(exact, called, strict=True)) / n
        points.append((Fraction(sum(called), n), (quality - weak) / (strong - weak)))
    return points


def swept_apgr(rows: Sequence[Row]) -> Fraction:
    points = swept(rows)
    return sum(((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)), start=Fraction(0))


def swept_cpt(rows: Sequence[Row], target: Fraction) -> Fraction:
    points = swept(rows)
    for (start, low), (stop, high) in pairwise(points):
        if high >= target:
            return start + (target - low) / (high - low) * (stop - start)
    raise AssertionError("everything escalated recovers the whole gap")


def has_gap(rows: Sequence[Row]) -> bool:
    return sum(row[1] for row in rows) > sum(row[0] for row in rows)


def our_apgr(rows: Sequence[Row], large: float = 20.0) -> Measured:
    outcomes = two_tiers(list(rows), large=large)
    return apgr(escalation_curve(outcomes), Ends.of(outcomes))


def our_cpt(rows: Sequence[Row], target: float) -> Measured:
    outcomes = two_tiers(list(rows))
    return cpt(escalation_curve(outcomes), Ends.of(outcomes), target)


def test_a_table_worked_out_by_hand() -> None:
    assert [float(recovered) for _, recovered in swept(CASE)] == [0, 0.5, 0.5, 0.5, 1]
    assert our_apgr(CASE) == pytest.approx((0.5 / 2 + 0.5 + 0.5 + 0.75) / 4)
    assert [our_cpt(CASE, target) for target in (0.2, 0.5, 0.8, 1.0)] == [pytest.approx(c) for c in (0.1, 0.25, 0.9, 1)]


@given(rows_of(GRADES).filter(has_gap))
def test_every_threshold_swept_gives_the_same(rows: list[Row]) -> None:
    assert our_apgr(rows) == pytest.approx(float(swept_apgr(rows)))
    for fifths in (1, 2, 4, 5):
        assert our_cpt(rows, fifths / 5) == pytest.approx(float(swept_cpt(rows, Fraction(fifths, 5))))
    ends, recovered = Ends.of(two_tiers(rows)), dict(swept(rows))
    for row in rows:
        called = [other[2] < row[2] for other in rows]
        quality = np.mean([other[1] if call else other[0] for other, call in zip(rows, called, strict=True)])
        assert float(recovered[Fraction(sum(called), len(rows))]) == pytest.approx(pgr(ends, float(quality)))


TEN = st.lists(st.tuples(GRADES, GRADES), min_size=10, max_size=10).flatmap(
    lambda pairs: st.permutations(range(10)).map(
        lambda order: [(small, large, place / 10) for (small, large), place in zip(pairs, order, strict=True)]
    )
)


@given(TEN.filter(has_gap))
def test_ten_questions_have_the_ten_shares_of_the_paper(rows: list[Row]) -> None:
    # The mean of ten right ends is half a step, 1/20 of the whole gap, above the trapezoids between them.
    mean = np.mean([float(recovered) for share, recovered in swept(rows) if share > 0])
    assert our_apgr(rows) == pytest.approx(mean - 1 / 20)


def quantile_apgr(rows: Sequence[Row], results: int) -> float:
    """As the code of RouteLLM finds it: trapezoids between the shares at quantiles of the score."""
    small, large, confidence = np.array(rows).T
    score = 1 - confidence
    thresholds = np.quantile(score, np.linspace(0, 1, results + 1))
    called = [score >= threshold for threshold in thresholds[:-1]] + [score > thresholds[-1]]
    share = np.array([call.mean() for call in called])[::-1]
    quality = np.array([np.where(call, large, small).mean() for call in called])[::-1]
    return float(np.trapezoid((quality - small.mean()) / (large.mean() - small.mean()), share))


@given(TEN.filter(has_gap))
def test_ten_quantiles_of_ten_questions_are_all_thresholds(rows: list[Row]) -> None:
    assert our_apgr(rows) == pytest.approx(quantile_apgr(rows, 10))


def test_ten_quantiles_of_many_questions_come_near() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.permutation(400) / 400
    small, large = generator.random(400) < confidence, generator.random(400) < 0.9
    rows = [tuple(map(float, row)) for row in zip(small, large, confidence, strict=True)]
    found = our_apgr(rows)
    assert found != pytest.approx(quantile_apgr(rows, 10), abs=1e-6)
    assert found == pytest.approx(quantile_apgr(rows, 10), abs=0.01)
    assert found == pytest.approx(quantile_apgr(rows, 400))


def test_equal_scores_that_stop_their_code_do_not_stop_ours() -> None:
    votes = [(float(k % 3 == 0), 1.0, (k % 3) / 2) for k in range(30)]
    with pytest.raises(ValueError, match="Bin edges must be unique"):
        pd.qcut([1 - row[2] for row in votes], 10)
    assert our_apgr(votes) == pytest.approx(float(swept_apgr(votes)))


def test_cpt_is_the_least_share_where_quality_does_not_only_rise() -> None:
    def interpolated(rows: Sequence[Row], target: float) -> float:
        share, recovered = np.array(swept(rows), dtype=float).T
        return float(np.interp(target, recovered, share))

    # Half of the gap is recovered by the first call in four; their interpolation asks for three.
    assert (interpolated(CASE, 0.5), our_cpt(CASE, 0.5)) == (0.75, 0.25)
    # The first call recovers all, the second loses it, the last brings it back.
    back = [(0.0, 1.0, 0.1), (1.0, 0.0, 0.2), (0.0, 0.0, 0.3), (0.0, 1.0, 0.4)]
    assert [float(recovered) for _, recovered in swept(back)] == [0, 1, 0, 0, 1]
    assert our_cpt(back, 0.5) == 0.125


def test_the_mean_over_all_orders_is_that_of_routing_at_random() -> None:
    pairs = [(0.0, 1.0), (1.0, 0.0), (0.25, 1.0), (0.5, 0.5), (0.0, 1.0)]
    found = [
        our_apgr([(*pair, place / 5) for pair, place in zip(pairs, order, strict=True)])
        for order in permutations(range(5))
    ]
    assert np.mean(found) == pytest.approx(0.5)


@given(rows_of(GRADES).filter(has_gap))
def test_the_order_of_the_gains_is_the_best_and_its_reverse_the_worst(rows: list[Row]) -> None:
    by_gain = [(small, large, (1 + small - large) / 2) for small, large, _ in rows]
    reverse = [(small, large, 1 - sure) for small, large, sure in by_gain]
    worst, found, best = our_apgr(reverse), our_apgr(rows), our_apgr(by_gain)
    assert not any(isinstance(value, Undefined) for value in (worst, found, best))
    assert worst - 1e-9 <= found <= best + 1e-9  # type: ignore[operator]
    assert worst + best == pytest.approx(1.0)  # type: ignore[operator]
    assert best >= 0.5 - 1e-9  # type: ignore[operator]


@given(rows_of(GRADES))
def test_a_large_model_that_is_never_worse_keeps_them_in_bounds(rows: list[Row]) -> None:
    ordered = [(min(row[:2]), max(row[:2]), row[2]) for row in rows]
    assume(has_gap(ordered))
    found = our_apgr(ordered)
    assert isinstance(found, float)
    assert 0 <= found <= 1 + 1e-9
    shares = [our_cpt(ordered, target) for target in (0.01, 0.2, 0.5, 0.8, 0.99, 1.0)]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert (np.diff(escalation_curve(two_tiers(ordered)).quality) >= -1e-12).all()


@given(rows_of(GRADES).filter(has_gap), st.sampled_from([2, 3]), st.floats(1.5, 100))
def test_only_the_order_of_confidences_and_the_mix_of_questions_count(
    rows: list[Row], copies: int, large: float
) -> None:
    moved = [(small, other, 0.2 + 0.7 * sure**3) for small, other, sure in rows]
    assert our_apgr(moved * copies, large) == pytest.approx(our_apgr(rows))
    for target in (0.5, 0.8):
        assert our_cpt(moved * copies, target) == pytest.approx(our_cpt(rows, target))


@given(st.lists(CONFIDENCES, min_size=1, max_size=12))
def test_a_gain_that_is_the_same_everywhere_is_recovered_in_proportion(confidences: list[float]) -> None:
    rows = [(0.25, 0.75, sure) for sure in confidences]
    assert our_apgr(rows) == pytest.approx(0.5)
    assert our_cpt(rows, 0.8) == pytest.approx(0.8)
