import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.verification.logistic import Logistic, fit_logistic

SCALE = Logistic(intercept=0.1, weights={"a": 1 / 3, "键": -2.0})
LABELS = [False, True] * 10


def test_the_probability_is_the_sigmoid_of_the_weighted_sum() -> None:
    found = SCALE.probability({"a": 3.0, "键": 0.25})
    assert found == pytest.approx(1 / (1 + math.exp(-(0.1 + 1.0 - 0.5))))


@pytest.mark.parametrize(("feature", "expected"), [(1e4, 1.0), (-1e4, 0.0), (1e308, 1.0), (-1e308, 0.0)])
def test_far_features_overflow_nothing(feature: float, expected: float) -> None:
    assert Logistic(intercept=0.0, weights={"a": 100.0}).probability({"a": feature}) == expected


def test_a_sum_that_is_no_number_is_refused() -> None:
    scale = Logistic(intercept=0.0, weights={"a": 1e300, "b": -1e300})
    with pytest.raises(ConfigurationError, match="no number"):
        scale.probability({"a": 1e300, "b": 1e300})


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"a": 1.0}, r"missing \['键'\]"),
        ({"a": 1.0, "键": 0.0, "c": 1.0}, r"unknown \['c'\]"),
        ({"a": math.nan, "键": 0.0}, "feature 'a' is nan"),
        ({"a": -math.inf, "键": 0.0}, "feature 'a' is -inf"),
    ],
)
def test_features_must_fit_the_weights(features: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        SCALE.probability(features)


@pytest.mark.parametrize(
    "arguments",
    [
        {"intercept": math.nan, "weights": {"a": 1.0}},
        {"intercept": 0.0, "weights": {"a": math.inf}},
        {"intercept": 0.0, "weights": {"": 1.0}},
        {"intercept": 0.0, "weights": {}},
        {"intercept": 0.0, "weights": {"a": "much"}},
    ],
)
def test_coefficients_are_finite_and_named(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Logistic(**arguments)


def test_the_coefficients_do_not_change_with_the_mapping_they_came_from() -> None:
    weights = {"a": 1.0}
    scale = Logistic(intercept=0.0, weights=weights)
    weights["a"] = 5.0
    assert scale.weights == {"a": 1.0}
    assert pickle.loads(pickle.dumps(scale)) == scale


# Files


def test_a_saved_scale_is_loaded_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    for _ in range(2):  # and replaces the one before
        SCALE.save(path)
    assert Logistic.load(path) == SCALE
    assert [file.name for file in tmp_path.iterdir()] == ["scale.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"schema_version": None},
        {"more": 1},
        {"intercept": "0"},
        {"intercept": math.nan},
        {"weights": {"a": math.inf}},
        {"weights": {}},
        {"weights": [1.0]},
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "scale.json"
    SCALE.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigurationError, match=r"'scale\.json' holds no coefficients"):
        Logistic.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 1}'])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scale.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        Logistic.load(path)


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Logistic.load(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        SCALE.save(tmp_path / "none" / "scale.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        SCALE.save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


# Fitting


def test_the_gradient_is_zero_at_the_optimum() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(3.0, 5.0, size=(60, 2)), rng.random(60) < 0.4
    ridge = 2.5
    scale = fit_logistic({"a": x[:, 0], "b": x[:, 1]}, y, ridge=ridge)
    p = np.array([scale.probability({"a": a, "b": b}) for a, b in x])
    standardised = (x - x.mean(axis=0)) / x.std(axis=0)
    weights = np.array([scale.weights["a"], scale.weights["b"]]) * x.std(axis=0)
    assert (p - y).sum() == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(standardised.T @ (p - y) + ridge * weights, 0.0, atol=1e-6)


def test_without_a_penalty_to_speak_of_one_binary_feature_has_a_closed_form() -> None:
    feature = [0.0] * 20 + [1.0] * 20
    correct = [True] * 5 + [False] * 15 + [True] * 14 + [False] * 6
    scale = fit_logistic({"a": feature}, correct, ridge=1e-9)
    assert scale.probability({"a": 0.0}) == pytest.approx(5 / 20, abs=1e-6)
    assert scale.probability({"a": 1.0}) == pytest.approx(14 / 20, abs=1e-6)


def test_coefficients_are_recovered() -> None:
    rng = np.random.default_rng(11)
    x = rng.normal([0.0, 100.0], [1.0, 20.0], size=(40_000, 2))
    odds = -4.0 + 1.5 * x[:, 0] + 0.04 * x[:, 1]
    y = rng.random(len(x)) < 1 / (1 + np.exp(-odds))
    scale = fit_logistic({"a": x[:, 0], "b": x[:, 1]}, y)
    # Three standard errors at this n, from the inverse of the Fisher information.
    assert scale.weights["a"] == pytest.approx(1.5, abs=0.06)
    assert scale.weights["b"] == pytest.approx(0.04, abs=0.003)
    assert scale.intercept == pytest.approx(-4.0, abs=0.3)


def test_separable_answers_have_finite_weights() -> None:
    feature = np.linspace(-1, 1, 20)
    scale = fit_logistic({"a": feature}, feature > 0)
    assert 0 < scale.weights["a"] < 100
    stronger = fit_logistic({"a": feature}, feature > 0, ridge=10.0)
    assert 0 < stronger.weights["a"] < scale.weights["a"]


def test_the_unit_of_a_feature_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=50), rng.random(50) < 0.5
    metres, millimetres = fit_logistic({"a": x}, y), fit_logistic({"a": x * 1000 + 7}, y)
    assert millimetres.weights["a"] * 1000 == pytest.approx(metres.weights["a"])


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9])
def test_a_constant_feature_weighs_nothing(value: float) -> None:
    x = np.arange(20.0)
    scale = fit_logistic({"a": x, "same": np.full(20, value)}, LABELS)
    assert scale.weights["same"] == 0.0
    assert scale.intercept == pytest.approx(fit_logistic({"a": x}, LABELS).intercept)


@pytest.mark.parametrize(
    ("features", "correct", "said"),
    [
        ({"a": range(20)}, LABELS[:-1], r"has shape \(20,\); there are 19 answers"),
        ({"a": range(9)}, LABELS[:9], "there are 9 answers"),
        ({"a": range(20)}, [True] * 20, "all 20 answers are correct"),
        ({"a": range(20)}, [False] * 20, "all 20 answers are incorrect"),
        ({"a": [math.nan] + [1.0] * 19}, LABELS, "not finite"),
        ({"a": [math.inf] + [1.0] * 19}, LABELS, "not finite"),
        ({"a": [1e308, -1e308] * 10}, LABELS, "too large"),
        ({"a": ["x"] * 20}, LABELS, "than numbers"),
        ({"a": np.ones((20, 1))}, LABELS, r"shape \(20, 1\)"),
        ({}, LABELS, "no feature"),
        ({"a": range(20)}, [0, 2] * 10, "booleans"),
        ({"a": range(20)}, ["yes", "no"] * 10, "booleans"),
        ({"a": range(20)}, [LABELS], r"shape \(1, 20\)"),
    ],
)
def test_what_cannot_be_fitted_is_refused(features: dict[str, Any], correct: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        fit_logistic(features, correct)


@pytest.mark.parametrize("ridge", [0.0, -1.0, math.nan, math.inf])
def test_the_ridge_is_above_zero(ridge: float) -> None:
    with pytest.raises(ConfigurationError, match="ridge"):
        fit_logistic({"a": range(20)}, LABELS, ridge=ridge)
