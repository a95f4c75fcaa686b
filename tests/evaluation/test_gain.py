from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_of_outcomes import GRADES, Row, rows_of, two_tiers

from automix_graph.evaluation import gain_by_confidence
from automix_graph.evaluation.gain import bins_of


@given(rows_of(GRADES), st.integers(1, 6))
def test_bins_part_the_questions_by_confidence(rows: list[Row], bins: int) -> None:
    found = gain_by_confidence(two_tiers(rows), bins)
    assert len(found) <= bins
    assert sum(part.n for part in found) == len(rows)
    for part in found:
        inside = [row for row in rows if part.low <= row[2] <= part.high]
        assert part.n == len(inside)
        assert part.gain == pytest.approx(fmean(row[1] - row[0] for row in inside))
        assert part.small == pytest.approx(fmean(row[0] for row in inside))
    for part, following in pairwise(found):
        assert part.high < following.low


def test_without_ties_the_bins_have_the_same_size() -> None:
    confidence = np.random.default_rng(0).permutation(1000) / 1000
    assert np.bincount(bins_of(confidence, 10)).tolist() == [100] * 10


def test_a_gain_in_the_middle_is_seen() -> None:
    rows = [(0, 0, 0.1)] * 10 + [(0, 1, 0.5)] * 10 + [(1, 1, 0.9)] * 10
    assert [part.gain for part in gain_by_confidence(two_tiers(rows), 3)] == [0.0, 1.0, 0.0]


def test_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="bins is 0"):
        gain_by_confidence(two_tiers([(0, 1, 0.5)]), 0)
