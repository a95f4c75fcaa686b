"""What is not calibrated, and which numbers the refusal gives."""

from __future__ import annotations

import numpy as np
import pytest
from tables_to_calibrate import TARGETS, drawn, sharp, two_tiers, with_failures

from automix_graph.calibration import CalibrationRefused, MaxCost, MinQuality, Target, calibrate
from automix_graph.calibration.cells import Cells
from automix_graph.calibration.families import families_for
from automix_graph.calibration.question_rows import QuestionRows


def test_a_floor_that_only_the_fitted_rows_reach_is_refused() -> None:
    # The confidence tells nothing: whatever beats the large model in these rows is luck.
    generator = np.random.default_rng(3)
    small, large = (generator.random((2, 120)) < np.array([[0.6], [0.7]])).astype(float)
    outcomes = two_tiers(generator.random(120), small, large)
    proposal = families_for(2)["double-threshold"](QuestionRows.of(outcomes, None), None)
    quality, _ = Cells.of(outcomes, proposal.bins).measure(proposal.policies)
    floor = float(quality.max())
    assert floor > large.mean()
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(outcomes, MinQuality(floor))
    assert caught.value.reason == "floor-too-high"


@pytest.mark.parametrize("target", TARGETS)
def test_a_large_model_that_is_not_better_is_refused(target: Target) -> None:
    outcomes = drawn(500, large=0.3)
    with pytest.raises(CalibrationRefused, match=r"not better than the small one.*use 'small' alone") as caught:
        calibrate(outcomes, target)
    assert caught.value.reason == "large-not-better"
    assert caught.value.numbers["small"] == outcomes.small.quality.mean()
    assert caught.value.numbers["large"] == outcomes.large.quality.mean()


def test_a_budget_below_answer_and_verification_is_refused() -> None:
    with pytest.raises(CalibrationRefused, match=r"no cascade costs 1\.4 a question or less.*costs 1\.5;") as caught:
        calibrate(sharp(), MaxCost(1.4))
    assert caught.value.reason == "budget-too-low"
    assert caught.value.numbers["needed"] == pytest.approx(1.5)
    assert calibrate(sharp(), MaxCost(1.5)).expected.escalated.estimate == 0.0


def test_a_budget_is_compared_with_what_failed_verifications_cost_too() -> None:
    outcomes = with_failures(sharp(), every=4)
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(outcomes, MaxCost(6.4))
    assert caught.value.numbers["needed"] == pytest.approx(1.5 + 0.25 * 20)


def test_a_floor_above_what_can_be_reached_is_refused() -> None:
    outcomes = drawn(500)
    with pytest.raises(CalibrationRefused, match=r"no policy reaches a quality of at least 0\.99") as caught:
        calibrate(outcomes, MinQuality(0.99))
    assert caught.value.reason == "floor-too-high"
    assert caught.value.numbers["large"] == outcomes.large.quality.mean()


def test_a_handful_of_questions_is_refused() -> None:
    with pytest.raises(CalibrationRefused, match="at least 50") as caught:
        calibrate(sharp(49), MaxCost(8))
    assert caught.value.reason == "too-few-rows"
    copies = calibrate(sharp(100), MaxCost(8))
    assert copies.n == 100
    with pytest.raises(CalibrationRefused, match="there are 49 questions"):
        calibrate(sharp(98), MaxCost(8), groups=np.arange(98) // 2)


@pytest.mark.parametrize("target", TARGETS)
def test_few_rows_do_not_tell_which_model_is_better(target: Target) -> None:
    outcomes = drawn(500, large=0.3).take(np.arange(4))
    assert outcomes.large.quality.mean() <= outcomes.small.quality.mean()
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(outcomes, target)
    assert caught.value.reason in ("too-few-rows", "nothing-certified")
    assert "alone" not in str(caught.value)


def test_without_any_judgement_nothing_is_calibrated() -> None:
    with pytest.raises(CalibrationRefused, match="every verification of tier 'small' failed"):
        calibrate(with_failures(sharp(), every=1), MaxCost(8))
