"""Utility policies fitted to columns, in numbers worked out by hand."""

from __future__ import annotations

import pytest
from columns_to_fit import column

from automix_graph.calibration.fit_utility import fit_utility
from automix_graph.policies import Bins


def test_gains_are_smoothed_towards_what_confidence_should_tell() -> None:
    # Mean gains 0.1 and 0.5 over 40 rows each; nearest non-increasing curve 0.3 and 0.3, which counts as 30 rows.
    # What is within and between bins says less: 0.09 and 0.25 against 0.2 squared.
    sure, ours = [0.2] * 40 + [0.8] * 40, [0] * 80
    theirs = [1] * 4 + [0] * 36 + [1] * 20 + [0] * 20
    fitted = fit_utility(sure, small=ours, large=theirs, cost=[10, 30] * 40, lam=0.01)
    assert fitted.gain.bins == Bins((0.5,))
    assert fitted.gain.values == pytest.approx(((40 * 0.1 + 30 * 0.3) / 70, (40 * 0.5 + 30 * 0.3) / 70))
    assert (fitted.cost, fitted.lam, fitted.best) == (20.0, 0.01, None)
    monotone = fit_utility(sure, small=ours, large=theirs, cost=20, lam=0.01, shape="isotonic")
    assert monotone.gain.values == pytest.approx((0.3,))
    assert monotone.gain.bins == Bins(())
    # What does fall with confidence is taken as it is, and the better answer is what a floor is compared with.
    falling = fit_utility(sure, small=ours, large=theirs[::-1], cost=20, lam=0.01, abstain_below=0.3)
    assert falling.gain.values == pytest.approx((0.5, 0.1))
    assert falling.best is not None
    assert falling.best.values == pytest.approx((0.5, 0.1))
    assert falling.moves([column([0.2, 0.8])], 2).tolist() == [1, -1]
