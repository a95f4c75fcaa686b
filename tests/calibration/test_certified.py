"""Certified policies against closed-form truth, and against the rows that certified them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import GRADED, INFORMATIVE, MISLEADING, Population, constant
from scipy import stats
from tables_to_calibrate import two_tiers

from automix_graph.calibration import CalibrationRefused, MaxError, MaxRegret
from automix_graph.calibration.certified import certify, in_all
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Guarantee
from automix_graph.evaluation import replay
from automix_graph.policies import Threshold

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
