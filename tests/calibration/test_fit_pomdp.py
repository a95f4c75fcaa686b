"""POMDP policies fitted to columns, in numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from automix_graph.calibration.fit_pomdp import fit_pomdp


def test_pomdp_counts_by_hand() -> None:
    # 60 rows at 0.2: 10 easy, 30 need large, 20 unsolvable; 40 at 0.8: 32 easy (large wrong on 8 of these), 4, 4.
    rows = [(0.2, 1, 1)] * 10 + [(0.2, 0, 1)] * 30 + [(0.2, 0, 0)] * 20
    rows += [(0.8, 1, 1)] * 24 + [(0.8, 1, 0)] * 8 + [(0.8, 0, 1)] * 4 + [(0.8, 0, 0)] * 4
    sure, ours, theirs = np.array(rows).T
    policy = fit_pomdp([sure], [ours, theirs], costs=[1, 20], lam=0.01)
    assert policy.prior == pytest.approx((43 / 103, 35 / 103, 25 / 103))
    easy, needs, lost = policy.observation[0]
    assert (easy, needs, lost) == (
        pytest.approx((11 / 44, 33 / 44)),
        pytest.approx((31 / 36, 5 / 36)),
        pytest.approx((21 / 26, 5 / 26)),
    )
    assert policy.quality == ((1.0, 0.0, 0.0), (pytest.approx(34 / 42), 1.0, 0.0))
    # Bayes' rule with these numbers: the gain at 0.2 is 0.4549, at 0.8 it is -0.0366 by hand.
    weights = np.array(policy.prior)[:, None] * np.array(policy.observation[0])
    gains = (np.array([34 / 42 - 1, 1, 0]) @ weights) / weights.sum(axis=0)
    for lam, table in ((gains[0] / 20 + 1e-6, [0, 0]), (gains[0] / 20 - 1e-6, [1, 0])):
        assert fit_pomdp([sure], [ours, theirs], costs=[1, 20], lam=lam).table == (table,)


def test_pomdp_states_that_no_row_shows_go_by_their_definition() -> None:
    sure = [0.2] * 50 + [0.8] * 50
    policy = fit_pomdp([sure], [[1] * 100, [1] * 100], costs=[1, 20], lam=0.0)
    assert policy.quality == ((1.0, 0.0, 0.0), (1.0, 1.0, 0.0))
