from typing import Any

import numpy as np
import pytest

from automix_graph.evaluation import auroc, bootstrap_interval, joint_intervals

SCORES = np.random.default_rng(0).random(40)
RIGHT = np.random.default_rng(1).random(40) < SCORES


def measure(rows: np.ndarray) -> dict[str, float | None]:
    return {"mean": float(SCORES[rows].mean()), "auroc": auroc(SCORES[rows], RIGHT[rows])}


def test_each_interval_is_that_of_the_plain_bootstrap() -> None:
    found = joint_intervals(measure, 40, seed=7, n_resamples=200, level=0.9)
    alone = {
        "mean": bootstrap_interval(np.mean, SCORES, seed=7, n_resamples=200, level=0.9),
        "auroc": bootstrap_interval(auroc, SCORES, RIGHT, seed=7, n_resamples=200, level=0.9),
    }
    for name, expected in alone.items():
        assert (found[name].low, found[name].high) == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert found[name].estimate == pytest.approx(expected.estimate)
        assert (found[name].n, found[name].level) == (40, 0.9)


def test_undefined_resamples_are_counted_as_there() -> None:
    scores, right = np.array([0.1, 0.9, 0.8]), np.array([False, True, True])
    found = joint_intervals(lambda rows: {"a": auroc(scores[rows], right[rows])}, 3, seed=0, n_resamples=300)["a"]
    assert found.failed_resamples == bootstrap_interval(auroc, scores, right, seed=0, n_resamples=300).failed_resamples
    assert 0 < found.failed_resamples < 300


def test_one_row_or_no_estimate_has_no_interval() -> None:
    one = joint_intervals(lambda rows: {"a": 1.0}, 1, seed=0, n_resamples=10)["a"]
    none = joint_intervals(lambda rows: {"a": None}, 5, seed=0, n_resamples=10)["a"]
    assert (one.estimate, one.low, one.high) == (1.0, None, None)
    assert (none.estimate, none.low, none.high, none.failed_resamples) == (None, None, None, 10)


def test_progress_is_told_of_each_resample() -> None:
    calls: list[None] = []
    joint_intervals(measure, 40, seed=0, n_resamples=12, progress=lambda: calls.append(None))
    assert len(calls) == 12


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"n": 0}, "n is 0"), ({"n_resamples": 0}, "n_resamples is 0"), ({"level": 95}, "level 95")],
)
def test_bad_numbers_are_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        joint_intervals(measure, **{"n": 40, "seed": 0} | options)
