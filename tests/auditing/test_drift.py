"""Drift against SciPy and simulations; ties and missing judgements included."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from automix_graph.auditing import drift_between


def test_the_distance_is_scipys_and_so_is_the_p_value_where_there_are_no_ties() -> None:
    generator = np.random.default_rng(0)
    ours, theirs = generator.random(50) ** 1.4, generator.random(70)
    found, expected = drift_between(ours, theirs), ks_2samp(ours, theirs, method="exact")
    assert found.ks == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.04)


@pytest.mark.parametrize("values", [2, 6, 1000])
def test_without_drift_the_p_value_is_low_as_often_as_it_says_whatever_the_ties(values: int) -> None:
    generator = np.random.default_rng(values)
    draws = [generator.integers(values, size=(2, 120)) / values for _ in range(60)]
    low = np.mean([drift_between(*pair, seed=number).p_value <= 0.1 for number, pair in enumerate(draws)])
    assert low <= 0.1 + 3 * np.sqrt(0.09 / 60)


def test_the_index_is_without_bias_and_its_interval_covers() -> None:
    generator, covered, indices = np.random.default_rng(2), 0, []
    truth = stability(0.4)
    for number in range(60):
        ours, theirs = generator.beta(1.4, 1, 800), generator.random(800)
        found = drift_between(ours, theirs, seed=number)
        covered += found.psi_low <= truth <= found.psi_high
        indices.append(found.psi)
    assert np.mean(indices) == pytest.approx(truth, rel=0.1)
    assert covered >= 0.85 * 60


def stability(extra: float) -> float:
    """Return the index of Beta(1 + extra, 1) against the uniform distribution over ten bins of equal width."""
    p = np.diff(np.linspace(0, 1, 11) ** (1 + extra))
    return float(((p - 0.1) * np.log(p / 0.1)).sum())


def test_failed_judgements_are_a_bin_of_their_own() -> None:
    sure = np.linspace(0.1, 0.9, 200)
    failing = np.where(np.arange(200) % 3 == 0, np.nan, sure)
    found = drift_between(failing, sure)
    assert found.bins == 11 and found.psi_low > 0.25 and found.p_value == 0.001
    assert found.ks == pytest.approx(67 / 200)


def test_an_empty_column_is_refused() -> None:
    with pytest.raises(ValueError, match="reference has shape"):
        drift_between([0.5], [])
