"""Optimal stopping fitted to columns: by hand, against the utility policy, and where chances are known."""

from __future__ import annotations

import numpy as np
import pytest
from columns_to_fit import Column, column, drawn
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from automix_graph.calibration.binning import Binning
from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_utility import fit_utility
from automix_graph.policies import Bins, ColumnPolicy, follow


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), lam=st.sampled_from([0.002, 0.005, 0.01, 0.02]), n=st.integers(60, 400))
def test_with_two_tiers_optimal_stopping_is_the_utility_policy(seed: int, lam: float, n: int) -> None:
    sure, ours, theirs = drawn(lambda c: 0.8 * c, lambda c: 0.6 + 0.2 * np.sin(9 * c), n, seed)
    utility = fit_utility(sure, small=ours, large=theirs, cost=20, lam=lam)
    stopping = fit_optimal_stopping([sure], [ours, theirs], costs=[1, 20], lam=lam)
    asked = [column(np.linspace(0, 1, 500))]
    assume(not {0.0, 1.0} & set(stopping.quality[1]))  # else an estimate was clipped to what a quality can be
    assert stopping.accepts(asked).tolist() == utility.accepts(asked).tolist()


def test_a_joint_table_by_hand() -> None:
    # Bins of both confidences, rows, and how many of these the middle model gets right; the small one is right in 12 of
    # 40 and 28 of 40 by its own confidence.
    cells = {(0.2, 0.2): (30, 6), (0.2, 0.8): (10, 5), (0.8, 0.2): (10, 5), (0.8, 0.8): (30, 24)}
    rows = [(a, b, k < right) for (a, b), (n, right) in cells.items() for k in range(n)]
    first, second, middle = np.array(rows, dtype=np.float64).T
    small = np.concatenate([np.arange(40) < 12, np.arange(40) < 28]).astype(float)
    policy = fit_optimal_stopping(
        [first, second], [small, middle, np.ones(80)], costs=[1, 2, 3], lam=0.0, binning=Binning(pseudo_rows=10.0)
    )
    assert policy.bins == (Bins((0.5,)), Bins((0.5,)))
    # One row a bin, spread as the second confidence falls by itself: 30 + 1 of 40 + 2.
    assert policy.mass == pytest.approx((31 / 84, 11 / 84, 11 / 84, 31 / 84))
    # By its own confidence alone, whatever the second one is: the means are monotone already, and need no smoothing.
    assert policy.quality[0] == pytest.approx((0.3, 0.3, 0.7, 0.7))
    # By the second confidence 11 and 29 of 40. Within cells the squares are 2 (30 * 0.16 + 10 * 0.25), over 80 - 4; the
    # means lie 0.075 (30 rows) and 0.225 (10 rows) off, and two of four are fitted.
    within = 2 * (30 * 0.16 + 10 * 0.25) / 76
    between = (2 * (30 * 0.075**2 + 10 * 0.225**2) - 2 * within) / 80
    weight = within / between
    assert weight > 10
    assert policy.quality[1] == pytest.approx(
        (
            (6 + weight * 0.275) / (30 + weight),
            (5 + weight * 0.725) / (10 + weight),
            (5 + weight * 0.275) / (10 + weight),
            (24 + weight * 0.725) / (30 + weight),
        )
    )
    assert policy.quality[2] == pytest.approx((1, 1, 1, 1))


def test_combinations_that_no_row_shows_are_worth_what_the_own_confidence_says() -> None:
    together, right = [0.2] * 50 + [0.8] * 50, [0.0] * 50 + [1.0] * 50
    policy = fit_optimal_stopping(
        [together, together], [right, right, [1.0] * 100], costs=[1, 2, 3], lam=0.01, binning=Binning(pseudo_rows=0)
    )
    assert policy.quality == ((0, 0, 1, 1), (0, 1, 0, 1), (1, 1, 1, 1))
    assert policy.mass == pytest.approx((51 / 104, 1 / 104, 1 / 104, 51 / 104))


def test_few_rows_still_tell_high_from_low() -> None:
    random = np.random.default_rng(0)
    policy = fit_optimal_stopping(random.random((5, 60)), random.random((6, 60)), costs=[1] * 6, lam=0.01)
    assert [bins.count for bins in policy.bins] == [3] * 5
    many = fit_optimal_stopping(random.random((6, 400)), random.random((7, 400)), costs=[1] * 7, lam=0.01)
    assert [bins.count for bins in many.bins] == [3] * 6


def two_opinions(n: int, seed: int) -> tuple[list[Column], list[Column]]:
    """Draw confidences that tell of their own answers alone, as far as two models agree on what is hard."""
    random = np.random.default_rng(seed)
    easy = random.random(n)
    first, second = (0.6 * easy + 0.4 * random.random(n) for _ in range(2))
    chances = (first, 0.2 + 0.8 * second, np.full(n, 0.95))
    return [first, second], [(random.random(n) < chance).astype(float) for chance in chances]


def net_of(policy: ColumnPolicy, sures: list[Column]) -> float:
    paths = follow(policy, [column(sure) for sure in sures])
    chances = np.stack([sures[0], 0.2 + 0.8 * sures[1], np.full(sures[0].size, 0.95)])
    return float(np.mean(chances[paths.end, np.arange(paths.end.size)] - paths.asked @ [0.01, 0.04, 0.2]))


def best_net(sures: list[Column]) -> float:
    """Return what knowing the chances is worth: keep, ask the middle model, or skip it, by the first confidence."""
    first, second = sures
    skip, ask = 0.95 - 0.2, np.maximum(0.2 + 0.8 * second, 0.95 - 0.2) - 0.04
    place = Bins.equal(200).indices(first)
    asked = (np.bincount(place, weights=ask) / np.bincount(place))[place]
    return float(np.mean(np.maximum.reduce([first, asked, np.full(first.size, skip)]))) - 0.01


@pytest.mark.parametrize(("n", "lost"), [(300, 0.006), (1000, 0.002), (3000, 0.0018)])
def test_combinations_that_add_nothing_cost_next_to_nothing(n: int, lost: float) -> None:
    unseen, _ = two_opinions(50_000, 99)
    nets = []
    for seed in range(15):
        sures, qualities = two_opinions(n, seed)
        nets.append(net_of(fit_optimal_stopping(sures, qualities, costs=[1, 4, 20], lam=0.01), unseen))
    assert np.mean(nets) == pytest.approx(best_net(unseen) - lost / 2, abs=lost / 2)
