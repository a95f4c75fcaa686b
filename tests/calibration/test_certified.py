"""Certified policies against closed-form truth, and against the rows that certified them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import GRADED, INFORMATIVE, MISLEADING, Population, constant
from scipy import stats
from tables_to_calibrate import sharp, three_tiers, two_tiers

from automix_graph.calibration import CalibrationRefused, MaxError, MaxRegret, calibrate
from automix_graph.calibration.certified import certify, in_all
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Guarantee
from automix_graph.evaluation import replay
from automix_graph.policies import PerTier, Threshold

REPEATS = 60
QUALITIES = st.sampled_from([0.0, 1.0, 1.0])
ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9, 0.95]), QUALITIES, QUALITIES), min_size=2, max_size=80)


def violations(population: Population, target: Guarantee, n: int) -> tuple[int, int]:
    """How often a threshold was certified, and how often its true risk is above alpha."""
    generator, certified, violated = np.random.default_rng(1), 0, 0
    risk = population.error if isinstance(target, MaxError) else population.regret
    for seed in range(REPEATS):
        rows = population.draw(generator, n)
        outcomes = two_tiers(rows.confidence, rows.small, rows.large)
        try:
            found = certify(QuestionRows.of(outcomes, None), target, seed=seed, graded=population.graded)
        except CalibrationRefused:
            continue
        certified += 1
        assert isinstance(found.policy, Threshold)
        violated += risk(found.policy.minimum) > target.alpha
    return certified, violated


@pytest.mark.parametrize("population", [INFORMATIVE, MISLEADING, GRADED, constant(0.05), constant(0.11)])
@pytest.mark.parametrize("target", [MaxError(0.1, 0.1), MaxRegret(0.05, 0.2)])
@pytest.mark.parametrize("n", [100, 400])
def test_guarantees_hold_as_often_as_they_say(population: Population, target: Guarantee, n: int) -> None:
    _, violated = violations(population, target, n)
    assert stats.binom.sf(violated - 1, REPEATS, target.delta) > 1e-3


def test_what_can_be_certified_is() -> None:
    assert violations(INFORMATIVE, MaxError(0.1, 0.1), 400)[0] > 0.7 * REPEATS
    assert violations(constant(0.3), MaxError(0.1, 0.1), 400) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from([MaxError(0.3, 0.3), MaxRegret(0.3, 0.3)]), st.integers(0, 3))
def test_a_certificate_is_about_the_policy_and_the_rows(
    rows: list[tuple[float, float, float]], target: Guarantee, seed: int
) -> None:
    confidence, small, large = np.array(rows).T
    groups = np.arange(len(rows)) // 2
    try:
        found = certify(QuestionRows.of(two_tiers(confidence, small, large), groups), target, seed=seed, graded=False)
    except CalibrationRefused:
        return
    certificate, tested = found.certificate, found.certification
    # One row a question, and no question on both sides.
    assert np.unique(tested.codes).size == tested.n
    assert not set(tested.codes.tolist()) & set(found.selection.codes.tolist())
    cascade = replay(tested.outcomes, found.policy)
    kept = ~cascade.beyond_first
    lost = 1.0 - tested.outcomes.small.quality
    if isinstance(target, MaxRegret):
        lost = np.maximum(tested.outcomes.large.quality - tested.outcomes.small.quality, 0.0)
    assert certificate.kept == kept.sum()
    assert certificate.loss == lost[kept].sum()
    assert certificate.observed is not None
    assert certificate.observed <= target.alpha
    assert certificate.observed <= certificate.upper_bound <= target.alpha + 1e-9


def test_rows_in_all_are_those_of_both_parts() -> None:
    assert in_all(7) == 10
    assert in_all(22) == 32


def test_certified_error_keeps_most_of_what_is_certified() -> None:
    found = calibrate(sharp(2000), MaxError(0.05, 0.1))
    certificate = found.certificate
    assert certificate is not None
    assert isinstance(found.policy, Threshold)
    assert certificate.threshold == found.policy.minimum
    # Errors begin below 0.4; a share of 0.05 of those kept is 0.4 - 0.6 x 0.05 / 0.95.
    assert 0.4 - 0.6 / 19 < found.policy.minimum < 0.41
    assert certificate.observed is not None
    assert certificate.observed <= 0.05
    assert found.selection + found.certification == found.n
    assert found.guarantee == (
        "With confidence 90 %, at most 5 % of the answers that are kept from the small model are wrong."
    )


def test_certified_regret_is_over_all_questions() -> None:
    found = calibrate(sharp(2000), MaxRegret(0.05, 0.1))
    assert isinstance(found.policy, Threshold)
    assert 0.35 < found.policy.minimum < 0.37  # the 5 percent below the cut, less what certainty takes
    assert "worse answer than the large model" in found.guarantee


def test_graded_answers_are_certified_by_their_mean() -> None:
    sure = (np.arange(2000) + 0.5) / 2000
    outcomes = two_tiers(sure, np.where(sure > 0.4, 1.0, 0.5), np.ones(2000))
    found = calibrate(outcomes, MaxError(0.1, 0.1))
    assert found.certificate is not None
    assert found.certificate.graded
    assert "worth at least 0.9 in the mean" in found.guarantee


def test_nothing_is_certified_with_too_few_rows_and_the_need_is_in_all_rows() -> None:
    outcomes = sharp(50)
    with pytest.raises(CalibrationRefused, match="nothing can be certified") as caught:
        calibrate(outcomes, MaxError(0.05, 0.1))
    numbers = caught.value.numbers
    assert caught.value.reason == "nothing-certified"
    assert numbers["questions"] == 50
    assert numbers["selection"] == 15
    assert numbers["certification"] == 35
    assert numbers["at_least"] == math.ceil(45 / 0.7)  # 45 rows without a loss, and seven tenths certify
    assert numbers["needed"] is not None
    assert numbers["needed"] > 50


def test_a_confidence_that_tells_nothing_certifies_nothing() -> None:
    generator = np.random.default_rng(0)
    right = (generator.random(1000) < 0.7).astype(float)
    outcomes = two_tiers(generator.random(1000), right, np.ones(1000))
    with pytest.raises(CalibrationRefused, match="no number would do: allow more") as caught:
        calibrate(outcomes, MaxError(0.05, 0.1))
    assert caught.value.numbers["needed"] is None


def test_copies_do_not_make_a_guarantee() -> None:
    # Ten right questions, each a hundred times over, are ten rows.
    sure = np.concatenate([np.full(1000, 0.9), np.full(20, 0.1)])
    outcomes = two_tiers(sure, np.concatenate([np.ones(1000), np.zeros(20)]), np.ones(1020))
    groups = np.concatenate([np.arange(1000) % 10, 10 + np.arange(20)])
    with pytest.raises(CalibrationRefused, match="nothing can be certified"):
        calibrate(outcomes, MaxError(0.1, 0.1), groups=groups)
    assert calibrate(outcomes, MaxError(0.1, 0.1)).certificate is not None


@pytest.mark.parametrize("target", [MaxError(0.1, 0.1), MaxRegret(0.1, 0.1)])
def test_three_tiers_are_certified_by_a_threshold_each(target: MaxError | MaxRegret) -> None:
    outcomes = three_tiers(1500)
    found = calibrate(outcomes, target)
    assert isinstance(found.policy, PerTier)
    cascade = replay(outcomes, found.policy)
    kept = cascade.route < 2
    lost = (1.0 - cascade.quality)[kept].sum() / (kept.sum() if isinstance(target, MaxError) else outcomes.n)
    assert 0.0 < lost <= target.alpha
    assert found.certificate is not None
    assert found.certificate.kept == pytest.approx(kept.mean() * found.certification, rel=0.05)
    with pytest.raises(CalibrationRefused, match="nothing can be certified"):
        calibrate(three_tiers(30), MaxError(0.01, 0.1))


def test_agreement_is_named_in_the_guarantee() -> None:
    found = calibrate(sharp(2000), MaxError(0.05, 0.1), label="agreement with the large model")
    assert "differ from the large model's" in found.guarantee
    assert "Agreement is not correctness" in found.not_said
