"""Bins of about as many questions each."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.calibration.binning import quantile_bins


@settings(deadline=None)
@given(
    values=st.lists(st.integers(0, 12), min_size=1, max_size=80),
    most=st.integers(1, 14),
    least=st.integers(1, 10),
)
def test_bins_are_filled_and_few(values: list[int], most: int, least: int) -> None:
    sure = np.array(values) / 12
    bins = quantile_bins(sure, most=most, least_rows=least)
    rows = np.bincount(bins.indices(sure), minlength=bins.count)
    assert bins.count <= most
    assert bins.count == 1 or rows.min() >= least
    assert not set(bins.edges) & set(np.unique(sure)[:-1].tolist())


def test_votes_have_a_bin_each_and_an_atom_costs_the_rest_none() -> None:
    votes = np.repeat(np.arange(9) / 8, 30)
    assert quantile_bins(votes, most=10, least_rows=20).edges == tuple((2 * k + 1) / 16 for k in range(8))
    uneven = np.repeat(np.arange(5) / 4, [25, 400, 20, 30, 400])
    assert quantile_bins(uneven, most=10, least_rows=20).edges == (0.125, 0.375, 0.625, 0.875)
    atom = np.concatenate([np.linspace(0, 0.5, 450), np.ones(550)])
    rows = np.bincount(quantile_bins(atom, most=10, least_rows=20).indices(atom))
    assert rows.tolist() == [100] * 4 + [50, 550]


def test_a_bin_edge_survives_neighbouring_floats() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1.0))
    bins = quantile_bins([low] * 5 + [high] * 5, most=2, least_rows=5)
    assert (bins.index(low), bins.index(high)) == (0, 1)
