import math
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automix_graph.calibration.p_values import binomial_p_value, hoeffding_bentkus_p_value

ALPHAS = st.sampled_from([0.001, 0.05, 0.1, 0.3, 0.5, 0.9])
COUNTS = st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LOSSES = st.integers(1, 300).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n)))


def exact_cdf(k: int, n: int, alpha: Fraction) -> float:
    return float(sum(math.comb(n, i) * alpha**i * (1 - alpha) ** (n - i) for i in range(k + 1)))


def long_cdf(k: int, n: int, alpha: str) -> float:
    """The sum with 40 digits, from its largest term down, for k below the mean."""
    getcontext().prec = 40
    p = Decimal(alpha)
    term = Decimal(math.comb(n, k)) * p**k * (1 - p) ** (n - k)
    total = Decimal(0)
    for i in range(k, -1, -1):
        total += term
        if term < total * Decimal("1e-25"):
            break
        term *= Decimal(i) * (1 - p) / (Decimal(n - i + 1) * p)
    return float(total)


@given(COUNTS, st.sampled_from([(1, 20), (1, 10), (3, 10), (1, 2), (9, 10)]))
def test_binomial_is_the_exact_sum(counts: tuple[int, int], alpha: tuple[int, int]) -> None:
    errors, n = counts
    found = binomial_p_value(errors, n, alpha=alpha[0] / alpha[1])
    assert float(found) == pytest.approx(exact_cdf(errors, n, Fraction(*alpha)), rel=1e-11)


@pytest.mark.parametrize(
    ("errors", "alpha"), [(0, "0.00001"), (99_500, "0.1"), (99_900, "0.1"), (48_000, "0.05"), (400, "0.0005")]
)
def test_binomial_of_a_million_rows(errors: int, alpha: str) -> None:
    found = float(binomial_p_value(errors, 1_000_000, alpha=float(alpha)))
    assert found == pytest.approx(long_cdf(errors, 1_000_000, alpha), rel=1e-8)


@given(COUNTS, ALPHAS)
def test_binomial_is_that_of_scipy(counts: tuple[int, int], alpha: float) -> None:
    assert float(binomial_p_value(*counts, alpha=alpha)) == pytest.approx(stats.binom.cdf(*counts, alpha), rel=1e-11)


def test_hoeffding_bentkus_by_hand() -> None:
    # 100 KL(0.025, 0.1), where Hoeffding is the better one
    hoeffding = math.exp(-(2.5 * math.log(0.25) + 97.5 * math.log(0.975 / 0.9)))
    assert hoeffding_bentkus_p_value(2.5, 100, alpha=0.1) == pytest.approx(hoeffding)
    assert hoeffding < math.e * exact_cdf(3, 100, Fraction(1, 10))
    # sums are rounded up for Bentkus, who is better near alpha
    bentkus = math.e * exact_cdf(5, 100, Fraction(1, 10))
    assert hoeffding_bentkus_p_value(4.5, 100, alpha=0.1) == pytest.approx(
        min(bentkus, math.exp(-(4.5 * math.log(0.45) + 95.5 * math.log(0.955 / 0.9))))
    )
    assert hoeffding_bentkus_p_value(5.0, 100, alpha=0.1) == pytest.approx(bentkus)


@given(LOSSES, ALPHAS)
def test_hoeffding_bentkus_is_the_smaller_of_both(losses: tuple[float, int], alpha: float) -> None:
    loss, n = losses
    mean = loss / n
    hoeffding = math.exp(-n * stats.entropy([mean, 1 - mean], [alpha, 1 - alpha])) if mean < alpha else 1.0
    bentkus = math.e * stats.binom.cdf(math.ceil(loss - 1e-9 * loss), n, alpha)
    expected = min(1.0, hoeffding, bentkus)
    assert float(hoeffding_bentkus_p_value(loss, n, alpha=alpha)) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(COUNTS, ALPHAS)
def test_grades_never_make_whole_losses_surer(counts: tuple[int, int], alpha: float) -> None:
    assert hoeffding_bentkus_p_value(*counts, alpha=alpha) >= binomial_p_value(*counts, alpha=alpha) - 1e-12


@pytest.mark.parametrize("test", [binomial_p_value, hoeffding_bentkus_p_value])
@pytest.mark.parametrize("alpha", [0.001, 0.1, 0.5, 0.9])
def test_p_values_are_monotone(test, alpha: float) -> None:
    errors = np.arange(201)
    assert (np.diff(test(errors, 200, alpha=alpha)) >= -1e-15).all()
    assert (np.diff(test(5, np.arange(5, 400), alpha=alpha)) <= 1e-15).all()
    higher = test(errors, 200, alpha=alpha + 0.05)
    assert (higher <= test(errors, 200, alpha=alpha) + 1e-15).all()


@pytest.mark.parametrize("test", [binomial_p_value, hoeffding_bentkus_p_value])
def test_edges(test) -> None:
    assert test([0, 7], [0, 7], alpha=0.1).tolist() == [1.0, 1.0]
    assert test(0, 22, alpha=0.1) == pytest.approx(0.9**22)
    assert test(0, [1, 2], alpha=0.5).tolist() == pytest.approx([0.5, 0.25])


def test_rounding_errors_are_no_losses() -> None:
    tenths = np.cumsum(np.full(20, 0.1))[-1]
    assert tenths > 2.0
    assert hoeffding_bentkus_p_value(tenths, 1000, alpha=0.01) == hoeffding_bentkus_p_value(2, 1000, alpha=0.01)
    assert hoeffding_bentkus_p_value(2.001, 1000, alpha=0.01) > hoeffding_bentkus_p_value(2, 1000, alpha=0.01) * 1.0001


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
@pytest.mark.parametrize("test", [binomial_p_value, hoeffding_bentkus_p_value])
def test_levels_that_are_none(test, alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha is"):
        test(1, 10, alpha=alpha)


@pytest.mark.parametrize(
    ("errors", "n", "message"),
    [
        (3, 2, "errors holds 3.0 where n is 2"),
        (-1, 2, "errors holds -1.0"),
        (0.5, 2, "errors holds 0.5"),
        (0, 2.5, "n holds 2.5"),
        (0, math.inf, "n holds inf"),
    ],
)
def test_counts_that_are_none(errors: float, n: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        binomial_p_value(errors, n, alpha=0.1)


@pytest.mark.parametrize("loss", [-0.1, 2.1, math.nan])
def test_losses_that_are_none(loss: float) -> None:
    with pytest.raises(ValueError, match="loss holds"):
        hoeffding_bentkus_p_value(loss, 2, alpha=0.1)
