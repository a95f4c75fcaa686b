import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from automix_graph.calibration import Isotonic, cross_fitted_isotonic, fit_isotonic
from automix_graph.evaluation import brier, ece

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), st.booleans()), min_size=2, max_size=25)


def min_max(confidence: np.ndarray, correct: np.ndarray) -> list[float]:
    """The least-squares solution in closed form: max over starts of min over ends of the mean between them."""
    levels = np.unique(confidence)
    fitted = []
    for level in levels:
        ends = [upper for upper in levels if upper >= level]
        starts = [lower for lower in levels if lower <= level]
        fitted.append(max(min(correct[(confidence >= a) & (confidence <= b)].mean() for b in ends) for a in starts))
    return fitted


@given(ROWS)
def test_the_fit_is_the_least_squares_one(rows: list[tuple[float, bool]]) -> None:
    confidence, correct = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assume(correct.any() and not correct.all())
    fitted = fit_isotonic(confidence, correct).predict(np.unique(confidence))
    assert fitted == pytest.approx(min_max(confidence, correct))


def test_order_of_the_rows_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    confidence, correct = np.round(generator.random(200), 2), generator.random(200) < 0.5
    shuffled = generator.permutation(200)
    assert fit_isotonic(confidence, correct) == fit_isotonic(confidence[shuffled], correct[shuffled])


def test_between_and_beyond_the_knots() -> None:
    fitted = fit_isotonic([0.2, 0.4, 0.6, 0.8], [False, False, True, True])
    assert fitted == Isotonic(confidences=(0.2, 0.4, 0.6, 0.8), probabilities=(0.0, 0.0, 1.0, 1.0))
    assert fitted.predict([0.0, 0.3, 0.5, 0.9]).tolist() == pytest.approx([0.0, 0.0, 0.5, 1.0])


def test_a_reversed_confidence_becomes_flat() -> None:
    fitted = fit_isotonic([0.1, 0.2, 0.8, 0.9], [True, True, False, False])
    assert fitted.predict([0.0, 0.5, 1.0]).tolist() == [0.5, 0.5, 0.5]


def test_it_recovers_a_distorted_confidence() -> None:
    generator = np.random.default_rng(1)
    truth = generator.random(4000)
    correct = generator.random(4000) < truth
    confidence = truth**0.25
    calibrated = cross_fitted_isotonic(confidence, correct, seed=0)
    assert ece(confidence, correct) > 0.25
    assert ece(calibrated, correct) < 0.04
    # the Brier score of the truth is E[p(1 - p)] = 1/6; what was not seen cannot beat it by more than chance
    assert brier(calibrated, correct) == pytest.approx(1 / 6, abs=0.01)


def test_a_cross_fitted_row_does_not_see_itself() -> None:
    # Outcomes are noise: fitted on itself, the map seems to beat the best constant (Brier 0.25); held out, it cannot.
    generator = np.random.default_rng(2)
    confidence, correct = generator.random(300), np.arange(300) % 2 == 0
    assert brier(fit_isotonic(confidence, correct).predict(confidence), correct) < 0.245
    assert brier(cross_fitted_isotonic(confidence, correct, seed=0), correct) > 0.25


def test_a_group_stays_in_one_fold() -> None:
    # Each row has a copy. Apart, the copy would give the outcome away.
    generator = np.random.default_rng(3)
    confidence, correct = np.tile(generator.random(200), 2), np.tile(np.arange(200) % 2 == 0, 2)
    groups = [f"q{number}" for number in range(200)] * 2
    together = cross_fitted_isotonic(confidence, correct, seed=0, groups=groups)
    assert together[:200].tolist() == together[200:].tolist()
    assert brier(together, correct) > 0.25


def test_each_fold_has_its_share_of_right_answers() -> None:
    # Dealt blindly, four right answers would often leave a fold's complement with none of them.
    correct = np.arange(40) < 2
    for seed in range(20):
        cross_fitted_isotonic(np.linspace(0, 1, 40), correct, folds=2, seed=seed)


def test_the_seed_decides() -> None:
    generator = np.random.default_rng(4)
    confidence, correct = generator.random(60), generator.random(60) < 0.5
    first, again, other = (cross_fitted_isotonic(confidence, correct, seed=seed).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("confidence", "correct", "complaint"),
    [
        ([], [], "confidence is empty"),
        ([0.1, 1.1], [True, False], "confidence holds 1.1"),
        ([0.1, float("nan")], [True, False], "confidence holds nan"),
        ([0.1], [True, False], "confidence has 1, correct has 2"),
        ([0.1, 0.2], [True, True], "all 2 answers to fit on are right"),
        ([0.1, 0.2], [False, False], "all 2 answers to fit on are wrong"),
    ],
)
def test_bad_columns_are_refused(confidence: list[float], correct: list[bool], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fit_isotonic(confidence, correct)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"folds": 1}, "folds is 1 for 4 groups"),
        ({"folds": 5}, "folds is 5 for 4 groups"),
        ({"folds": 3, "groups": ["a", "a", "b", "b"]}, "folds is 3 for 2 groups"),
        ({"folds": 2, "groups": ["a", "a", "b"]}, "groups has 3"),
        ({"folds": 2, "groups": ["a", "a", "b", "b"]}, "all 2 answers to fit on are wrong"),
    ],
)
def test_bad_folds_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cross_fitted_isotonic([0.1, 0.2, 0.3, 0.4], [True, True, False, False], seed=0, **options)


@pytest.mark.parametrize(
    ("confidences", "probabilities", "complaint"),
    [
        ((), (), "confidences is empty"),
        ((0.1, 0.1), (0.2, 0.3), "increase strictly"),
        ((0.1, 0.2), (0.3, 0.2), "must not decrease"),
        ((0.1, 0.2), (0.3, 1.2), "probabilities holds 1.2"),
        ((0.1,), (0.3, 0.4), "confidences has 1, probabilities has 2"),
    ],
)
def test_a_map_that_is_none_is_refused(
    confidences: tuple[float, ...], probabilities: tuple[float, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Isotonic(confidences=confidences, probabilities=probabilities)


def test_using_a_map_does_not_load_scipy() -> None:
    code = (
        "import sys; from automix_graph.calibration import Isotonic; "
        "Isotonic(confidences=(0.5,), probabilities=(0.5,)).predict([0.1]); print('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
