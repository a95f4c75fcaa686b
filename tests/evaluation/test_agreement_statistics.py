"""Measures and intervals against scikit-learn, statsmodels and pandas.

Elsewhere: AUROC against the count of all pairs and SciPy (test_discrimination), the measures of a whole evaluation
against scikit-learn (test_evaluation), the bootstrap of a mean against the normal interval (test_bootstrap).
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, auc, brier_score_loss, roc_auc_score
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW
from tables_of_outcomes import CONFIDENCES, two_tiers

from automix_graph.calibration import fit_isotonic
from automix_graph.evaluation import (
    Ends,
    Interval,
    accuracy_at,
    apgr,
    auroc,
    bootstrap_interval,
    brier,
    ece,
    escalation_curve,
    gain_by_confidence,
    ibc_lift,
    run_cascade,
)
from automix_graph.evaluation.curve import area

JUDGED = st.lists(st.tuples(CONFIDENCES, st.booleans()), min_size=2, max_size=40).map(
    lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
)
Judged = tuple[np.ndarray, np.ndarray]


@given(JUDGED)
def test_auroc_of_tied_confidences(judged: Judged) -> None:
    confidence, correct = judged
    assume(correct.any() and not correct.all())
    assert auroc(confidence, correct) == pytest.approx(roc_auc_score(correct, confidence))


def test_auroc_is_the_probabilistic_index_of_a_rank_test() -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(500) < 0.6
    votes = generator.binomial(8, np.where(correct, 0.7, 0.45)) / 8
    compared = rank_compare_2indep(votes[correct], votes[~correct])
    assert auroc(votes, correct) == pytest.approx(compared.prob1)
    # Its interval by the t distribution (Brunner and Munzel 2000) against resampled questions.
    found = bootstrap_interval(auroc, votes, correct, seed=0, n_resamples=1000)
    assert_same_interval(found, compared.conf_int(alpha=0.05))


@given(JUDGED)
def test_brier_and_accuracy(judged: Judged) -> None:
    confidence, correct = judged
    assert brier(confidence, correct) == pytest.approx(brier_score_loss(correct, confidence, pos_label=True))
    for threshold in (0.0, 0.3, 0.5):
        assert accuracy_at(confidence, correct, threshold=threshold) == accuracy_score(correct, confidence > threshold)


@pytest.mark.parametrize(("binning", "strategy"), [("equal-width", "uniform"), ("equal-mass", "quantile")])
@pytest.mark.parametrize("bins", [5, 10, 12, 24])
def test_ece_is_the_weighted_gap_of_a_calibration_curve(binning: str, strategy: str, bins: int) -> None:
    # All different and none at an edge, which belongs to the bin below in scikit-learn and to the one above here; and
    # as many as fill the bins of equal mass.
    generator = np.random.default_rng(bins)
    confidence = generator.random(240) ** 2
    correct = generator.random(240) < np.sqrt(confidence)
    right, mean = calibration_curve(correct, confidence, n_bins=bins, strategy=strategy)
    held = np.histogram(confidence, bins, range=(0, 1))[0] if strategy == "uniform" else np.full(bins, 240 // bins)
    expected = (np.abs(right - mean) * held[held > 0] / 240).sum()
    assert ece(confidence, correct, bins=bins, binning=binning) == pytest.approx(expected)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(-1, 1)), min_size=2, max_size=20, unique_by=lambda point: point[0])
)
def test_the_area_under_straight_lines(points: list[tuple[float, float]]) -> None:
    x, y = np.array(sorted(points)).T
    assert area(x, y) == pytest.approx(auc(x, y), abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from([(0, 0), (0, 1), (1, 1)]), CONFIDENCES), min_size=2, max_size=30))
def test_apgr_follows_from_the_auroc_of_escalation_helps(rows: list[tuple[tuple[int, int], float]]) -> None:
    # Where the large model is never worse and answers are right or wrong, PGR is the true positive rate of "escalation
    # helps", and the share escalated mixes it with the false positive rate, pi to 1 - pi.
    helps = np.array([large > small for (small, large), _ in rows])
    assume(helps.any() and not helps.all())
    outcomes = two_tiers([(small, large, sure) for (small, large), sure in rows])
    helped = roc_auc_score(helps, [-sure for _, sure in rows])
    found = apgr(escalation_curve(outcomes), Ends.of(outcomes))
    assert found == pytest.approx(helps.mean() / 2 + (1 - helps.mean()) * helped)


def test_the_gain_of_bins_is_that_of_grouped_rows() -> None:
    generator = np.random.default_rng(1)
    confidence, small, large = generator.permutation(200) / 200, generator.random(200), generator.random(200)
    rows = [tuple(map(float, row)) for row in zip(small, large, confidence, strict=True)]
    table = pd.DataFrame({"gain": large - small, "bin": pd.qcut(confidence, 8, labels=False)})
    expected = table.groupby("bin")["gain"].agg(["mean", "size"])
    found = gain_by_confidence(two_tiers(rows), 8)
    assert [part.gain for part in found] == pytest.approx(expected["mean"].tolist())
    assert [part.n for part in found] == expected["size"].tolist()


@given(JUDGED)
def test_isotonic_calibration(judged: Judged) -> None:
    confidence, correct = judged
    assume(correct.any() and not correct.all())
    fitted = IsotonicRegression(out_of_bounds="clip").fit(confidence, correct)
    assert fit_isotonic(confidence, correct).predict(confidence) == pytest.approx(fitted.predict(confidence))


def assert_same_interval(found: Interval, expected: tuple[float, float], part: float = 0.12) -> None:
    """Both ends agree up to a part of the width: resampling and the normal theory are two approximations."""
    assert found.low is not None and found.high is not None
    slack = part * (expected[1] - expected[0])
    assert (found.low, found.high) == (pytest.approx(expected[0], abs=slack), pytest.approx(expected[1], abs=slack))


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    right = np.arange(400) % 5 < 4
    found = bootstrap_interval(lambda rows: float(rows.mean()), right, seed=0)
    assert_same_interval(found, proportion_confint(320, 400, method="wilson"))


def test_the_interval_of_grouped_rows_is_that_of_clustered_errors() -> None:
    generator = np.random.default_rng(2)
    groups = np.repeat(np.arange(80), generator.integers(1, 9, size=80))
    values = generator.normal(size=80)[groups] + generator.normal(scale=0.5, size=groups.size)
    fitted = OLS(values, np.ones(groups.size)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    expected = tuple(fitted.conf_int()[0])
    found = bootstrap_interval(lambda rows: float(rows.mean()), values, seed=0, groups=groups.tolist())
    assert_same_interval(found, expected)
    alone = bootstrap_interval(lambda rows: float(rows.mean()), values, seed=0)
    assert alone.low is not None and alone.high is not None
    assert alone.high - alone.low < 0.7 * (expected[1] - expected[0])


def test_the_interval_of_a_lift_is_that_of_the_delta_method() -> None:
    generator = np.random.default_rng(3)
    confidence = generator.random(1500)
    small, large = generator.random(1500) < confidence, generator.random(1500) < 0.9
    rows = [tuple(map(float, row)) for row in zip(small, large, confidence, strict=True)]
    outcomes, kept = two_tiers(rows), confidence >= 0.5

    def lift(chosen: np.ndarray) -> float | None:
        found = outcomes.take(chosen)
        value = ibc_lift(Ends.of(found), run_cascade(found, [kept[chosen]]))
        return value if isinstance(value, float) else None

    # lift + 1 = (C_L - C_S)·mean(gain)/(mean(extra)·mean(gap)); each ratio of means is linear in its residuals.
    escalated = ~kept
    gap = large.astype(float) - small
    gain, extra = np.where(escalated, gap, 0.0), 0.15 + 20.0 * escalated
    height = 19.0 * gain.mean() / (extra.mean() * gap.mean())
    linear = height * (gain / gain.mean() - extra / extra.mean() - gap / gap.mean() + 1)
    expected = DescrStatsW(height - 1 + linear).zconfint_mean()
    found = bootstrap_interval(lift, np.arange(1500), seed=0, n_resamples=600)
    assert found.estimate == pytest.approx(height - 1)
    assert_same_interval(found, expected, part=0.15)
