from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from automix_graph.evaluation import accuracy_at, brier, ece
from automix_graph.evaluation.calibration_error import Binning


def test_ece_by_hand() -> None:
    confidence = [0.05, 0.05, 0.35, 0.35, 0.95]
    correct = [False, True, False, True, True]
    # bins of 2, 2 and 1 answers, off by 0.45, 0.15 and 0.05
    assert ece(confidence, correct) == pytest.approx((2 * 0.45 + 2 * 0.15 + 0.05) / 5)


@pytest.mark.parametrize("bins", range(2, 40))
def test_every_edge_belongs_to_the_bin_above_it(bins: int) -> None:
    # One wrong answer at the edge and one right answer at the centre of the bin above: 0.5 right in that bin.
    # In the bin below, the two would be two bins with other errors.
    for k in range(bins):
        edge, centre = k / bins, (k + 0.5) / bins
        mean = (edge + centre) / 2
        assert ece([edge, centre], [False, True], bins=bins) == pytest.approx(abs(0.5 - mean)), (bins, k)


def test_the_last_bin_is_closed() -> None:
    assert ece([1.0, 0.95], [True, False]) == pytest.approx(abs(0.5 - 0.975))


def test_a_constant_confidence_is_calibrated() -> None:
    assert ece([0.75] * 4, [True, True, True, False]) == 0.0


@pytest.mark.parametrize("binning", ["equal-width", "equal-mass"])
def test_ece_of_calibrated_confidences_vanishes_with_n(binning: Binning) -> None:
    generator = np.random.default_rng(1)
    confidence = generator.random(200_000)
    correct = generator.random(200_000) < confidence
    assert ece(confidence, correct, binning=binning) < 0.01
    # confidence², reported as confidence: the error is E|c - c²| = 1/6
    assert ece(confidence, generator.random(200_000) < confidence**2, binning=binning) == pytest.approx(1 / 6, abs=0.01)


def test_bins_of_equal_mass_hold_the_same_number() -> None:
    confidence = [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
    correct = [True, False, False, False, True, True]
    # two bins: (0.1, 0.2, 0.3) with 1 right, (0.4, 0.8, 0.9) with 2
    expected = abs(1 / 3 - 0.2) / 2 + abs(2 / 3 - 0.7) / 2
    assert ece(confidence, correct, bins=2, binning="equal-mass") == pytest.approx(expected)


def test_bins_of_equal_mass_do_not_part_equal_confidences() -> None:
    confidence, correct = [0.5] * 6, [True, True, True, False, False, False]
    assert ece(confidence, correct, bins=3, binning="equal-mass") == 0.0


def test_more_bins_than_answers() -> None:
    assert ece([0.4, 0.6], [False, True], bins=7, binning="equal-mass") == pytest.approx(0.4)


def test_brier_by_hand() -> None:
    assert brier([0.8, 0.4], [True, False]) == pytest.approx((0.04 + 0.16) / 2)
    assert brier([0.5] * 3, [True, False, True]) == 0.25


@pytest.mark.parametrize(("threshold", "accuracy"), [(0.5, 0.5), (0.49, 0.75), (0.0, 0.75), (1.0, 0.25)])
def test_a_verdict_is_correct_above_the_threshold_only(threshold: float, accuracy: float) -> None:
    assert accuracy_at([0.9, 0.5, 0.6, 0.7], [True, True, False, True], threshold=threshold) == accuracy


@pytest.mark.parametrize("measure", [ece, brier, accuracy_at])
@pytest.mark.parametrize(
    ("confidence", "correct", "complaint"),
    [
        ([], [], "confidence is empty"),
        ([1.2], [True], "confidence holds 1.2"),
        ([float("nan")], [True], "confidence holds nan"),
        ([None], [True], "confidence holds None"),
        ([0.5], [True, False], "confidence has 1, correct has 2"),
        ([0.5], [None], "correct holds None"),
    ],
)
def test_bad_columns_are_refused(
    measure: Callable[[Any, Any], float], confidence: Any, correct: Any, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        measure(confidence, correct)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="bins is 0"):
        ece([0.5], [True], bins=0)
    with pytest.raises(ValueError, match="binning 'even' is unknown"):
        ece([0.5], [True], binning="even")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"threshold 1\.5"):
        accuracy_at([0.5], [True], threshold=1.5)
