import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from automix_graph.calibration.p_values import binomial_p_value, hoeffding_bentkus_p_value
from automix_graph.calibration.upper_bounds import clopper_pearson_upper, hoeffding_bentkus_upper

DELTAS = st.sampled_from([0.01, 0.05, 0.1, 0.5])
COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LOSSES = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n)))


@given(COUNTS, DELTAS)
def test_clopper_pearson_is_that_of_scipy(counts: tuple[int, int], delta: float) -> None:
    interval = stats.binomtest(*counts, alternative="less").proportion_ci(confidence_level=1 - delta, method="exact")
    assert clopper_pearson_upper(*counts, delta=delta) == pytest.approx(interval.high, rel=1e-9)


@given(COUNTS, DELTAS, st.floats(0.001, 0.999))
def test_clopper_pearson_passes_what_the_test_passes(counts: tuple[int, int], delta: float, alpha: float) -> None:
    bound = clopper_pearson_upper(*counts, delta=delta)
    assume(abs(bound - alpha) > 1e-9)
    assert (bound <= alpha) == bool(binomial_p_value(*counts, alpha=alpha) <= delta)


@given(LOSSES, DELTAS, st.floats(0.001, 0.999))
def test_hoeffding_bentkus_passes_what_the_test_passes(losses: tuple[float, int], delta: float, alpha: float) -> None:
    bound = hoeffding_bentkus_upper(*losses, delta=delta)
    assume(abs(bound - alpha) > 1e-9)
    assert (bound <= alpha) == bool(hoeffding_bentkus_p_value(*losses, alpha=alpha) <= delta)


@pytest.mark.parametrize(("loss", "n"), [(0, 30), (2.5, 100), (4.5, 100), (900.25, 10_000), (0.5, 3)])
@pytest.mark.parametrize("delta", [0.01, 0.1])
def test_a_bound_is_where_the_p_value_passes_delta(loss: float, n: int, delta: float) -> None:
    bound = hoeffding_bentkus_upper(loss, n, delta=delta)
    assert hoeffding_bentkus_p_value(loss, n, alpha=bound + 1e-9) <= delta
    assert hoeffding_bentkus_p_value(loss, n, alpha=bound - 1e-9) > delta


def test_bounds_of_no_loss() -> None:
    # (1 - u)^n = delta
    assert clopper_pearson_upper(0, 45, delta=0.1) == pytest.approx(1 - 0.1 ** (1 / 45))
    assert hoeffding_bentkus_upper(0.0, 45, delta=0.1) == pytest.approx(1 - 0.1 ** (1 / 45))


def test_bounds_without_rows_and_of_nothing_but_losses() -> None:
    for rows in (0, 9):
        assert clopper_pearson_upper(rows, rows, delta=0.1) == 1.0
        assert hoeffding_bentkus_upper(float(rows), rows, delta=0.1) == 1.0


def test_bound_of_a_million_rows() -> None:
    # the normal approximation, right to its own order of error: 1 / n
    expected = 0.1 + stats.norm.ppf(0.9) * math.sqrt(0.1 * 0.9 / 1e6)
    assert clopper_pearson_upper(100_000, 1_000_000, delta=0.1) == pytest.approx(expected, abs=2e-6)
    assert expected < hoeffding_bentkus_upper(100_000.0, 1_000_000, delta=0.1) < 0.1007


@pytest.mark.parametrize("bound", [clopper_pearson_upper, hoeffding_bentkus_upper])
def test_refusals(bound) -> None:
    with pytest.raises(ValueError, match=r"delta is 0\.0"):
        bound(1, 10, delta=0.0)
    with pytest.raises(ValueError, match=r"holds 11\.0 where n is 10"):
        bound(11, 10, delta=0.1)
