import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from automix_graph.calibration.p_values import hoeffding_bentkus_p_value
from automix_graph.calibration.sample_size import least_rows, rows_needed

LEVELS = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5, 0.9])


@pytest.mark.parametrize(
    ("alpha", "delta", "rows"), [(0.1, 0.1, 22), (0.05, 0.1, 45), (0.01, 0.05, 299), (0.5, 0.5, 1), (0.9, 0.5, 1)]
)
def test_least_rows(alpha: float, delta: float, rows: int) -> None:
    assert least_rows(alpha=alpha, delta=delta) == rows


@given(st.floats(0.001, 0.99), st.floats(0.001, 0.99))
def test_least_rows_is_the_least(alpha: float, delta: float) -> None:
    n = least_rows(alpha=alpha, delta=delta)
    assert n == pytest.approx(math.ceil(math.log(delta) / math.log1p(-alpha)), abs=1)
    assert (1 - alpha) ** n <= delta * (1 + 1e-9)
    assert (1 - alpha) ** (n - 1) > delta * (1 - 1e-9)


@given(st.sampled_from([0.0, 0.01, 0.03, 0.05, 0.08]), st.sampled_from([0.1, 0.15]), st.sampled_from([0.05, 0.1, 0.3]))
@settings(deadline=None)
def test_rows_needed_is_the_least_that_passes(mean: float, alpha: float, delta: float) -> None:
    by_hand = next(n for n in range(1, 5000) if stats.binom.cdf(math.ceil(mean * n - 1e-9), n, alpha) <= delta)
    assert rows_needed(mean, alpha=alpha, delta=delta) == by_hand


def test_rows_needed_of_graded_losses() -> None:
    # at 0.025, Hoeffding is the better one: ln 10 / KL(0.025, 0.1)
    entropy = 0.025 * math.log(0.25) + 0.975 * math.log(0.975 / 0.9)
    assert rows_needed(0.025, alpha=0.1, delta=0.1, graded=True) == math.ceil(math.log(10) / entropy) == 54
    needed = rows_needed(0.09, alpha=0.1, delta=0.01, graded=True)
    assert needed is not None
    assert hoeffding_bentkus_p_value(math.floor(0.09 * needed), needed, alpha=0.1) <= 0.01
    assert hoeffding_bentkus_p_value(0.09 * (needed - 20), needed - 20, alpha=0.1) > 0.01


def test_rows_needed_without_losses_is_the_least() -> None:
    for graded in (False, True):
        assert rows_needed(0.0, alpha=0.05, delta=0.1, graded=graded) == least_rows(alpha=0.05, delta=0.1)


@pytest.mark.parametrize("graded", [False, True])
def test_no_number_of_rows(graded: bool) -> None:
    for mean in (0.1, 0.5, 1.0, 0.1 - 1e-12):
        assert rows_needed(mean, alpha=0.1, delta=0.1, graded=graded) is None
    many = rows_needed(0.0999, alpha=0.1, delta=0.1, graded=graded)
    assert many is not None
    assert 10**7 < many < 10**8


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"mean_loss is 1\.5"):
        rows_needed(1.5, alpha=0.1, delta=0.1)
    with pytest.raises(ValueError, match="alpha is 0"):
        least_rows(alpha=0, delta=0.1)
    with pytest.raises(ValueError, match="delta is 1"):
        least_rows(alpha=0.1, delta=1)
