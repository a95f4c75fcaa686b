"""One threshold, and two, against all that there are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from columns_to_fit import column
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.calibration.binning import Binning
from automix_graph.calibration.fit_thresholds import fit_double_threshold, fit_threshold
from automix_graph.policies import ColumnPolicy


@settings(deadline=None, max_examples=40)
@given(data=st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=2, max_size=25))
def test_thresholds_are_the_best_there_are(data: list[tuple[int, bool, bool]]) -> None:
    sure, ours, theirs = np.array(data, dtype=np.float64).T
    sure = sure / 10
    fine, price = Binning(most=100, least_rows=1), 0.3

    def net(policy: ColumnPolicy) -> float:
        return float(np.sum(np.where(policy.accepts([column(sure)]), 0.0, theirs - ours - price)))

    def best(bands: Any) -> float:
        return max(float(np.sum((theirs - ours - price)[(sure >= low) & (sure < high)])) for low, high in bands)

    ends = [k / 20 for k in range(21)]
    given_ = {"small": ours, "large": theirs, "cost": 30.0, "lam": 0.01, "binning": fine}
    assert net(fit_threshold(sure, **given_)) == pytest.approx(best((0.0, end) for end in ends))
    assert net(fit_double_threshold(sure, **given_)) == pytest.approx(best(itertools.product(ends, ends)))
