import math
import time
from typing import Any

import numpy as np
import pytest

from automix_graph.evaluation import Interval, auroc, bootstrap_interval
from automix_graph.evaluation.bootstrap import _draws


def width(interval: Interval) -> float:
    assert interval.low is not None
    assert interval.high is not None
    return interval.high - interval.low


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400)
    found = bootstrap_interval(mean, values, seed=1, level=0.9)
    half = 1.645 * values.std() / math.sqrt(400)
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == (
        pytest.approx(values.mean() - half, abs=0.02),
        pytest.approx(values.mean() + half, abs=0.02),
    )
    assert (found.n, found.level, found.failed_resamples) == (400, 0.9, 0)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    covered = 0
    for seed in range(150):
        found = bootstrap_interval(mean, generator.random(60), seed=seed, n_resamples=300, level=0.8)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert covered / 150 == pytest.approx(0.8, abs=0.08)


def test_the_seed_decides() -> None:
    values = np.random.default_rng(3).random(50)
    first, again, other = (bootstrap_interval(mean, values, seed=seed, n_resamples=200) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_rows_are_drawn_jointly() -> None:
    left = np.random.default_rng(4).random(100)
    found = bootstrap_interval(lambda a, b: float((a - b).mean()), left, left - 0.25, seed=0, n_resamples=100)
    assert (found.low, found.high) == (pytest.approx(0.25), pytest.approx(0.25))


def test_rows_may_have_several_values() -> None:
    table = np.arange(20.0).reshape(10, 2)
    found = bootstrap_interval(lambda rows: float((rows[:, 1] - rows[:, 0]).mean()), table, seed=0, n_resamples=50)
    assert (found.low, found.high) == (1.0, 1.0)


def test_a_paired_difference_of_two_judges() -> None:
    generator = np.random.default_rng(5)
    correct = generator.random(300) < 0.5
    good = correct + generator.normal(size=300)
    bad = good + generator.normal(scale=3, size=300)

    def gain(one: np.ndarray, two: np.ndarray, right: np.ndarray) -> float | None:
        first, second = auroc(one, right), auroc(two, right)
        return None if first is None or second is None else first - second

    found = bootstrap_interval(gain, good, bad, correct, seed=0, n_resamples=500)
    assert found.low is not None
    assert found.low > 0


def test_undefined_resamples_are_counted_and_left_out() -> None:
    scores, correct = [0.1, 0.9, 0.8], [False, True, True]
    found = bootstrap_interval(auroc, scores, correct, seed=0, n_resamples=3000)
    # all right: (2/3)³, all wrong: (1/3)³; on every other resample the order is perfect
    assert found.failed_resamples / 3000 == pytest.approx(9 / 27, abs=0.03)
    assert (found.estimate, found.low, found.high) == (1.0, 1.0, 1.0)


def test_an_undefined_estimate_has_no_interval() -> None:
    found = bootstrap_interval(auroc, [0.1, 0.9], [True, True], seed=0, n_resamples=10)
    assert (found.estimate, found.low, found.high, found.failed_resamples) == (None, None, None, 10)


@pytest.mark.parametrize(("values", "groups"), [([0.5], None), ([0.5, 0.7], ["q", "q"])])
def test_one_row_or_group_has_no_interval(values: list[float], groups: list[str] | None) -> None:
    found = bootstrap_interval(mean, values, seed=0, n_resamples=10, groups=groups)
    assert (found.low, found.high, found.n) == (None, None, len(values))
    assert found.estimate == pytest.approx(np.mean(values))


def test_groups_are_drawn_whole() -> None:
    codes = np.array([0, 1, 0, 2, 2, 2])
    for rows in _draws(codes, 50, np.random.default_rng(0)):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2]
        assert counts[3] == counts[4] == counts[5]
        assert counts[0] + counts[1] + counts[3] == 3


def test_copies_of_a_row_tell_nothing_new() -> None:
    values = np.random.default_rng(6).normal(size=200)
    alone = width(bootstrap_interval(mean, values, seed=0))
    twice, groups = np.tile(values, 2), np.tile(np.arange(200), 2)
    assert width(bootstrap_interval(mean, twice, seed=0, groups=groups)) == pytest.approx(alone, rel=0.1)
    assert width(bootstrap_interval(mean, twice, seed=0)) == pytest.approx(alone / math.sqrt(2), rel=0.1)


def test_the_auroc_of_400_rows_takes_no_longer_than_a_few_seconds() -> None:
    generator = np.random.default_rng(7)
    correct = generator.random(400) < 0.5
    started = time.process_time()
    bootstrap_interval(auroc, generator.random(400) + correct, correct, seed=0)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("columns", "options", "complaint"),
    [
        ((), {}, "no columns"),
        (([],), {}, r"column 0 has no rows"),
        ((1.0,), {}, r"column 0 has no rows"),
        (([1, 2], [1]), {}, "column 0 has 2, column 1 has 1"),
        (([1, 2],), {"groups": ["q"]}, "groups has 1"),
        (([1, 2],), {"groups": ["q", None]}, "groups holds None at row 1"),
        (([1, 2],), {"n_resamples": 0}, "n_resamples is 0"),
        (([1, 2],), {"level": 95}, "level 95"),
        (([1, float("nan")],), {}, "statistic returned nan"),
    ],
)
def test_bad_input_is_refused(columns: tuple[Any, ...], options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        bootstrap_interval(lambda *arrays: float(arrays[0].mean()), *columns, seed=0, **options)
