import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Bins, StepCurve


@pytest.mark.parametrize("count", [1, 2, 5, 10, 12, 24, 49, 100])
def test_equal_bins_hold_their_lower_ends(count: int) -> None:
    bins = Bins.equal(count)
    starts = [k / count for k in range(count)]
    assert [bins.index(start) for start in starts] == list(range(count))
    assert [bins.index(math.nextafter(start, 0.0)) for start in starts[1:]] == list(range(count - 1))
    assert bins.index(1.0) == count - 1
    assert bins.indices(np.array([*starts, 1.0])).tolist() == [*range(count), count - 1]


@pytest.mark.parametrize(("count", "misplaced"), [(5, [5]), (10, [5, 9, 10]), (12, [5, 7, 10]), (24, 8)])
def test_multiplying_and_rounding_down_misplaces_what_these_bins_place(count: int, misplaced: list[int] | int) -> None:
    # How automix-llm numbers the point k * width of its scale: int((k * width) // width).
    width = 1 / count
    wrong = [k for k in range(count + 1) if int((k * width) // width) != k]
    assert wrong == misplaced or len(wrong) == misplaced
    assert [Bins.equal(count).index(k / count) for k in wrong] == [min(k, count - 1) for k in wrong]


@given(
    edges=st.lists(st.floats(0, 1, exclude_min=True), unique=True, max_size=8).map(sorted), confidence=st.floats(0, 1)
)
def test_a_bin_is_found_by_counting_the_edges_below(edges: list[float], confidence: float) -> None:
    bins = Bins(tuple(edges))
    expected = sum(edge <= confidence for edge in edges)
    assert bins.index(confidence) == expected
    assert bins.indices(np.array([confidence, np.nan])).tolist() == [expected, bins.count]


@pytest.mark.parametrize("edges", [(0.0,), (0.5, 0.5), (0.6, 0.4), (1.1,), (math.nan,), (-0.1, 0.5)])
def test_edges_divide_the_scale(edges: tuple[float, ...]) -> None:
    with pytest.raises(ConfigurationError, match="strictly increasing numbers above 0"):
        Bins(edges)


def test_there_is_at_least_one_bin() -> None:
    with pytest.raises(ConfigurationError, match="use at least 1"):
        Bins.equal(0)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ((True, True, True), "everything"),
        ((False, False, False), "nothing"),
        ((True, False, True), "confidence in [0, 0.25) or [0.5, 1]"),
        ((False, True, True), "confidence in [0.25, 1]"),
        ((True, True, False), "confidence in [0, 0.5)"),
    ],
)
def test_bins_are_described_as_intervals(chosen: tuple[bool, ...], text: str) -> None:
    assert Bins((0.25, 0.5)).describe(chosen) == text


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, 2.0, 3.0), (1.0, math.nan), (math.inf, 0.0)])
def test_a_curve_has_a_number_for_each_bin(values: Any) -> None:
    with pytest.raises(ConfigurationError, match="values"):
        StepCurve(bins=Bins((0.5,)), values=values)
