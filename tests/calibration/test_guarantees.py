import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automix_graph.calibration.certificate import Refusal
from automix_graph.calibration.guarantees import certify_error, certify_regret, certify_sequence

NAN = float("nan")
LEVELS = {"alpha": 0.1, "delta": 0.1}


def answers(*blocks: tuple[int, float, int]) -> tuple[np.ndarray, np.ndarray]:
    """Confidences and qualities of blocks of (answers, confidence, how many of them are wrong)."""
    confidence = np.concatenate([np.full(size, level) for size, level, _ in blocks])
    quality = np.concatenate([np.arange(size) >= wrong for size, _, wrong in blocks])
    return confidence, quality.astype(float)


def test_the_loosest_rule_before_the_first_failure() -> None:
    confidence, quality = answers((60, 0.9, 1), (40, 0.7, 3), (20, 0.5, 15), (500, 0.3, 0))
    found = certify_error(confidence, quality, thresholds=[0.3, 0.5, 0.7, 0.9], **LEVELS)
    assert (found.threshold, found.position, found.kept, found.loss, found.n) == (0.7, 1, 100, 4.0, 620)
    assert found.p_value == pytest.approx(stats.binom.cdf(4, 100, 0.1))
    assert found.upper_bound == pytest.approx(stats.beta.ppf(0.9, 5, 96))
    assert found.observed == 0.04
    assert found.refusal is None
    # the loosest rule of all would pass, had the one before it not failed
    assert certify_error(confidence, quality, thresholds=[0.3], **LEVELS).threshold == 0.3


def test_delta_counts() -> None:
    confidence, quality = answers((40, 0.9, 1))
    # P(Binomial(40, 0.1) <= 1) = 0.0805
    for delta, certified in ((0.05, False), (0.08, False), (0.081, True)):
        found = certify_error(confidence, quality, thresholds=[0.5], alpha=0.1, delta=delta)
        assert (found.threshold is not None) == certified


def test_graded_answers_are_tested_by_hoeffding_and_bentkus() -> None:
    confidence, quality = answers((100, 0.9, 5))
    quality[5:10] = 0.5
    found = certify_error(confidence, quality, thresholds=[0.5], alpha=0.2, delta=0.1, graded=True)
    assert found.loss == 7.5
    entropy = 0.075 * np.log(0.075 / 0.2) + 0.925 * np.log(0.925 / 0.8)
    assert found.p_value == pytest.approx(min(np.exp(-100 * entropy), np.e * stats.binom.cdf(8, 100, 0.2)))
    assert found.threshold == 0.5
    with pytest.raises(ValueError, match=r"quality holds 0\.5 at row 5 .* graded=True"):
        certify_error(confidence, quality, thresholds=[0.5], alpha=0.2, delta=0.1)


def test_failed_verifications_are_never_kept_and_count_for_the_regret() -> None:
    confidence = np.array([0.9] * 20 + [NAN] * 20)
    wrong = np.zeros(40)
    error = certify_error(confidence, 1 - wrong, thresholds=[0.0], **LEVELS)
    assert (error.kept, error.rows, error.n, error.threshold) == (20, 20, 40, None)
    regret = certify_regret(confidence, small=wrong, large=1 - np.isnan(confidence), thresholds=[0.0], **LEVELS)
    assert (regret.kept, regret.rows, regret.loss) == (20, 40, 20.0)
    missed = certify_regret(confidence, small=wrong, large=np.isnan(confidence), thresholds=[0.0], **LEVELS)
    assert (missed.loss, missed.threshold) == (0.0, 0.0)
    assert missed.p_value == pytest.approx(0.9**40)


def test_regret_is_lost_only_where_the_large_answer_is_better() -> None:
    confidence = [0.9] * 30 + [0.4] * 30 + [0.2] * 40
    small, large = [0] * 30 + [1] * 30 + [0] * 40, [0] * 30 + [0] * 30 + [1] * 40
    found = certify_regret(confidence, small=small, large=large, thresholds=[0.9, 0.4, 0.2], **LEVELS)
    assert (found.threshold, found.kept, found.loss, found.rows) == (0.4, 60, 0.0, 100)
    graded = certify_regret(
        confidence,
        small=np.multiply(small, 0.5),
        large=np.multiply(large, 0.75),
        thresholds=[0.2],
        **LEVELS,
        graded=True,
    )
    assert graded.loss == 30.0


def test_a_refusal_for_too_few_rows() -> None:
    confidence, quality = answers((20, 0.9, 0), (20, 0.1, 20))
    found = certify_error(confidence, quality, thresholds=[0.9, 0.1], **LEVELS)
    assert found.threshold is found.position is None
    assert (found.kept, found.loss) == (20, 0.0)
    assert found.p_value == pytest.approx(0.9**20)
    assert found.upper_bound == pytest.approx(1 - 0.1 ** (1 / 20))
    # 22 kept answers, of which every other row is one
    assert found.refusal == Refusal(reason="too-few-rows", least_rows=22, rows_needed=44)
    assert "about 44 rows in all" in found.explanation
    assert "at least 22 rows that are kept" in found.explanation


def test_a_refusal_of_a_risk_that_is_too_high() -> None:
    confidence, quality = answers((100, 0.9, 30))
    found = certify_error(confidence, quality, thresholds=[0.5], **LEVELS)
    assert found.refusal == Refusal(reason="risk-too-high", least_rows=22, rows_needed=None)
    assert "no number of rows would do" in found.explanation
    assert "their mean loss 0.3" in found.explanation


def test_a_refusal_where_the_strictest_rule_keeps_nothing() -> None:
    confidence, quality = answers((100, 0.5, 5))
    found = certify_error(confidence, quality, thresholds=[0.9, 0.5], **LEVELS)
    assert found.threshold is None
    assert found.kept == 100
    assert found.refusal == Refusal(reason="nothing-kept", least_rows=22, rows_needed=78)

    found = certify_error(confidence, quality, thresholds=[0.9], **LEVELS)
    assert (found.kept, found.observed, found.p_value, found.upper_bound) == (0, None, 1.0, 1.0)
    assert found.refusal == Refusal(reason="nothing-kept", least_rows=22, rows_needed=None)
    assert "their mean loss unknown" in found.explanation


def test_a_refused_regret_counts_all_rows() -> None:
    found = certify_regret([0.9] * 10, small=[1] * 10, large=[1] * 10, thresholds=[0.5], alpha=0.05, delta=0.1)
    assert found.refusal == Refusal(reason="too-few-rows", least_rows=45, rows_needed=45)
    assert "regret against the large model of at most 0.05 with confidence 0.9" in found.explanation


def test_a_certificate_is_plain_data() -> None:
    confidence, quality = answers((50, 0.9, 0))
    for thresholds in ([0.5], [1.0]):
        found = certify_error(confidence, quality, thresholds=thresholds, **LEVELS)
        assert json.loads(json.dumps(dataclasses.asdict(found))) == dataclasses.asdict(found)
    assert certify_error(confidence, quality, thresholds=[0.5], **LEVELS).explanation == (
        "Certified: error among kept answers of at most 0.1 with confidence 0.9 "
        "(50 of 50 rows kept, their mean loss 0, p = 0.00515)."
    )


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9, NAN]), st.booleans(), st.booleans()), min_size=1, max_size=60),
    st.randoms(),
)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[float, bool, bool]], random) -> None:
    # So answers of equal confidence are never told apart, least of all by which of them came first.
    found = []
    for each in (rows, sorted(rows, key=lambda row: row[1]), random.sample(rows, len(rows))):
        confidence, small, large = (np.array(column, dtype=float) for column in zip(*each, strict=True))
        levels = {"thresholds": [0.9, 0.5, 0.1], "alpha": 0.3, "delta": 0.2}
        found.append(
            (
                certify_error(confidence, small, **levels),
                certify_regret(confidence, small=small, large=large, **levels),
            )
        )
        for certificate in found[-1]:
            if certificate.threshold is not None:
                assert certificate.kept == (confidence >= certificate.threshold).sum()
                assert certificate.upper_bound <= 0.3 + 1e-12
    assert found[0] == found[1] == found[2]


def test_any_sequence_of_rules() -> None:
    found = certify_sequence(risk="regret", kept=[10, 40, 80], loss=[0, 2, 9], n=100, **LEVELS)
    # P(Binomial(100, 0.1) <= 2) = 0.0019, and of <= 9 it is 0.45
    assert (found.position, found.kept, found.threshold) == (1, 40, None)
    assert certify_sequence(risk="error", kept=[10, 40, 80], loss=[0, 2, 9], n=100, **LEVELS).position is None


def test_refused_arguments() -> None:
    with pytest.raises(ValueError, match=r"delta is 1\.0"):
        certify_error([0.5], [1], thresholds=[0.5], alpha=0.1, delta=1.0)
    with pytest.raises(ValueError, match="alpha is 0"):
        certify_error([0.5], [1], thresholds=[0.5], alpha=0, delta=0.1)
    with pytest.raises(ValueError, match="thresholds is empty"):
        certify_error([0.5], [1], thresholds=[], **LEVELS)
    with pytest.raises(ValueError, match="small has 1, large has 2"):
        certify_regret([0.5], small=[1], large=[1, 1], thresholds=[0.5], **LEVELS)
    with pytest.raises(ValueError, match="keeps more than the 10 rows"):
        certify_sequence(risk="error", kept=[11], loss=[0], n=10, **LEVELS)
    with pytest.raises(ValueError, match="loses more than it keeps"):
        certify_sequence(risk="regret", kept=[3], loss=[4], n=10, **LEVELS)
    with pytest.raises(ValueError, match="kept has 2, loss has 1"):
        certify_sequence(risk="error", kept=[3, 4], loss=[1], n=10, **LEVELS)
