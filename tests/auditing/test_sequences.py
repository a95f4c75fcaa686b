"""Bounds for all times, against integrals worked out otherwise and simulated gamblers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from automix_graph.auditing import bernoulli_e_value, lower_sequence, upper_sequence

COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n)))


@pytest.mark.parametrize(("loss", "n", "risk"), [(3, 10, 0.1), (0.5, 4, 0.2), (12, 40, 0.1), (0, 30, 0.05)])
def test_the_evidence_is_the_integral_of_the_bets(loss: float, n: int, risk: float) -> None:
    prior = beta(0.5, 0.5)

    def won(p: float) -> float:
        return float((p / risk) ** loss * ((1 - p) / (1 - risk)) ** (n - loss) * prior.pdf(p))

    expected = quad(won, risk, 0.9, limit=500)[0] + quad(won, 0.9, 1.0, limit=500)[0]
    assert bernoulli_e_value(loss, n, risk=risk) == pytest.approx(expected / prior.sf(risk), rel=1e-4)


@pytest.mark.parametrize("risk", [0.05, 0.3])
def test_one_bet_wins_nothing_in_the_mean_if_the_claim_is_true(risk: float) -> None:
    fair = risk * bernoulli_e_value(1, 1, risk=risk) + (1 - risk) * bernoulli_e_value(0, 1, risk=risk)
    assert fair == pytest.approx(1.0)
    assert risk / 2 * bernoulli_e_value(1, 1, risk=risk) + (1 - risk / 2) * bernoulli_e_value(0, 1, risk=risk) < 1.0
    assert bernoulli_e_value(risk, 1, risk=risk) <= 1.0  # a graded loss of the same mean


@given(COUNTS, st.sampled_from([0.001, 0.05, 0.3]))
def test_bounds_enclose_the_mean_and_meet_the_evidence(counts: tuple[float, int], delta: float) -> None:
    loss, n = counts
    low, high = lower_sequence(loss, n, delta=delta), upper_sequence(loss, n, delta=delta)
    assert 0.0 <= low <= loss / n + 1e-9 and loss / n - 1e-9 <= high <= 1.0
    assert lower_sequence(n - loss, n, delta=delta) == pytest.approx(1.0 - high)
    assert lower_sequence(loss, n, delta=delta / 2) <= low
    if 1e-6 < low < 1 - 1e-6:
        assert bernoulli_e_value(loss, n, risk=low) == pytest.approx(1 / delta, rel=1e-4)


@given(COUNTS, st.floats(0.01, 0.95))
def test_lower_claims_are_harder_to_keep_up(counts: tuple[float, int], share: float) -> None:
    loss, n = counts
    claim = loss / n * share
    if claim > 1e-6:
        assert (
            bernoulli_e_value(loss, n, risk=claim) >= bernoulli_e_value(loss, n, risk=min(claim * 1.05, 0.999)) - 1e-9
        )


def test_peeking_after_every_answer_raises_no_more_false_alarms_than_stated() -> None:
    generator, runs, rows, delta = np.random.default_rng(0), 400, 300, 0.1
    losses = generator.random((runs, rows)) < 0.1
    ever = sum(ever_alarms(row, risk=0.1, delta=delta) for row in losses)
    naive = sum(ever_peeks(row, risk=0.1) for row in losses)
    assert ever <= runs * delta + 3 * math.sqrt(runs * delta * (1 - delta))
    assert naive > 1.5 * runs * delta  # what the sequence is there for


def ever_alarms(losses: np.ndarray, *, risk: float, delta: float) -> bool:
    sums = losses.cumsum()
    looks = np.flatnonzero(losses)
    return any(bernoulli_e_value(float(sums[at]), int(at) + 1, risk=risk) >= 1 / delta for at in looks)


def ever_peeks(losses: np.ndarray, *, risk: float) -> bool:
    from scipy.stats import binom

    sums = losses.cumsum()
    return bool((binom.sf(sums - 1, np.arange(1, losses.size + 1), risk) <= 0.1)[20:].any())


def test_a_risk_of_twice_the_bound_is_found_soon() -> None:
    generator = np.random.default_rng(1)
    found = [ever_alarms(generator.random(400) < 0.2, risk=0.1, delta=0.025) for _ in range(80)]
    assert np.mean(found) > 0.95


@pytest.mark.parametrize(("loss", "n"), [(-1, 3), (4, 3), (0, -1), (float("nan"), 3)])
def test_impossible_losses_are_refused(loss: float, n: int) -> None:
    with pytest.raises(ValueError, match="sum of losses"):
        lower_sequence(loss, n, delta=0.1)
