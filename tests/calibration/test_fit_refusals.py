"""What no policy can be fitted to, and what the refusal says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automix_graph.calibration.binning import Binning
from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_pomdp import fit_pomdp
from automix_graph.calibration.fit_thresholds import fit_double_threshold, fit_threshold
from automix_graph.calibration.fit_utility import fit_utility

GOOD: dict[str, Any] = {"small": [0, 1] * 50, "large": [1] * 100, "cost": 20.0, "lam": 0.01}


@pytest.mark.parametrize("fit", [fit_threshold, fit_double_threshold, fit_utility])
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"confidence": [float("nan")] + [0.5] * 99}, "confidence holds nan at row 0"),
        ({"confidence": [1.5] + [0.5] * 99}, "confidence holds 1.5"),
        ({"confidence": []}, "confidence is empty"),
        ({"small": [2] * 100}, "small holds 2"),
        ({"large": [1] * 99}, "large has 99"),
        ({"cost": -1}, "cost holds -1.0"),
        ({"cost": [np.inf] * 100}, "cost holds inf"),
        ({"lam": float("nan")}, "lam is nan"),
        ({"binning": Binning(least_rows=51)}, "there are 100 questions, and two bins of 51 take 102"),
        ({"groups": ["q"] * 100}, "there are 1 questions"),
        ({"groups": ["q"] * 99}, "groups has 99"),
        ({"groups": [None] * 100}, "groups holds None"),
    ],
)
def test_columns_that_cannot_be_fitted_are_refused(fit: Any, wrong: dict[str, Any], complaint: str) -> None:
    arguments = {"confidence": [0.2, 0.8] * 50, **GOOD, **wrong}
    with pytest.raises(ValueError, match=complaint):
        fit(arguments.pop("confidence"), **arguments)


@pytest.mark.parametrize("fit", [fit_pomdp, fit_optimal_stopping])
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"confidences": []}, "2 qualities, 0 confidences and 2 costs"),
        ({"costs": [1, 5, 20]}, "2 qualities, 1 confidences and 3 costs"),
        ({"confidences": [[float("nan")] * 100]}, "confidence of tier 0 holds nan"),
        ({"qualities": [[0, 1] * 50, [1] * 99]}, "quality of tier 1 has 99"),
        ({"costs": [1, -1]}, "cost holds -1.0"),
        ({"lam": -1}, "lam is -1"),
        ({"binning": Binning(least_rows=60)}, "two bins of 60 take 120"),
    ],
)
def test_tiers_that_cannot_be_fitted_are_refused(fit: Any, wrong: dict[str, Any], complaint: str) -> None:
    tiers = {"confidences": [[0.2, 0.8] * 50], "qualities": [[0, 1] * 50, [1] * 100], "costs": [1, 20], "lam": 0.01}
    arguments = {**tiers, **wrong}
    with pytest.raises(ValueError, match=complaint):
        fit(arguments.pop("confidences"), arguments.pop("qualities"), **arguments)


def test_other_numbers_are_checked() -> None:
    tiers: Any = ([[0.2, 0.8] * 50], [[0, 1] * 50, [1] * 100])
    for wrong in (0.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="laplace is"):
            fit_pomdp(*tiers, costs=[1, 20], lam=0.01, laplace=wrong)
    with pytest.raises(ValueError, match="solved is 1"):
        fit_pomdp(*tiers, costs=[1, 20], lam=0.01, solved=1.0)
    with pytest.raises(ValueError, match="shape is 'smooth'"):
        fit_utility([0.2, 0.8] * 50, **GOOD, shape="smooth")  # type: ignore[arg-type]
    for binning in ({"most": 0}, {"least_rows": 0}, {"pseudo_rows": -1.0}, {"pseudo_rows": float("nan")}):
        with pytest.raises(ValueError, match="is no binning"):
            Binning(**binning)  # type: ignore[arg-type]
