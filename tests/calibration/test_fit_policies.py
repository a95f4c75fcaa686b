"""Policies fitted to columns, whatever their form: populations whose truth is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from columns_to_fit import Column, column, drawn, in_parts

from automix_graph.calibration.fit_optimal_stopping import fit_optimal_stopping
from automix_graph.calibration.fit_pomdp import fit_pomdp
from automix_graph.calibration.fit_thresholds import fit_double_threshold, fit_threshold
from automix_graph.calibration.fit_utility import fit_utility
from automix_graph.policies import ColumnPolicy, TablePolicy, UtilityPolicy, follow

Fit = Callable[..., ColumnPolicy]
"""Of a confidence, two qualities, a cost and what it is worth; and groups, where rows have them."""


def of_columns(fit: Callable[..., ColumnPolicy], **shape: str) -> Fit:
    return lambda sure, ours, theirs, cost, lam, **more: fit(
        sure, small=ours, large=theirs, cost=cost, lam=lam, **shape, **more
    )


def of_tiers(fit: Callable[..., ColumnPolicy]) -> Fit:
    return lambda sure, ours, theirs, cost, lam, **more: fit([sure], [ours, theirs], costs=[1, cost], lam=lam, **more)


FITS: dict[str, Fit] = {
    "threshold": of_columns(fit_threshold),
    "double": of_columns(fit_double_threshold),
    "binned": of_columns(fit_utility),
    "isotonic": of_columns(fit_utility, shape="isotonic"),
    "pomdp": of_tiers(fit_pomdp),
    "stopping": of_tiers(fit_optimal_stopping),
}


def worth(
    policy: ColumnPolicy, small: Callable[[Column], Column], large: Callable[[Column], Column], price: float
) -> float:
    """Return what a policy adds to keeping everything, over the whole population: its escalations' mean gain."""
    sure = (np.arange(30_000) + 0.5) / 30_000
    return float(np.mean(np.where(policy.accepts([column(sure)]), 0.0, large(sure) - small(sure) - price)))


@pytest.mark.parametrize("seed", range(5))
def test_value_in_the_middle_of_the_scale_is_found_and_missed_by_one_threshold(seed: int) -> None:
    # The gain is -0.4 below 0.3, 0.5 up to 0.7, and 0 above, for a price of 0.2: the middle is worth 0.3 * 0.4 = 0.12,
    # and whatever else escalates loses. One threshold has to take the lower part along: 0.12 - 0.6 * 0.3 < 0, so that
    # it keeps everything.
    small, large = in_parts(0.6, 0.4, 0.9), in_parts(0.2, 0.9, 0.9)
    sure, ours, theirs = drawn(small, large, 3000, seed)
    found = {name: worth(fit(sure, ours, theirs, 20.0, 0.01), small, large, 0.2) for name, fit in FITS.items()}
    assert min(found[name] for name in ("double", "binned", "pomdp", "stopping")) > 0.105
    assert max(found[name] for name in ("threshold", "isotonic")) < 0.005


@pytest.mark.parametrize("name", FITS)
def test_a_confidence_that_tells_nothing_keeps_or_escalates_all(name: str) -> None:
    flat = in_parts(0.5, 0.5, 0.5)
    for large, everything in ((0.9, True), (0.6, False), (0.4, False)):
        sure, ours, theirs = drawn(flat, in_parts(large, large, large), 3000, 1)
        sure[0] = 0.999  # a threshold of 1 keeps a confidence of exactly 1 only
        kept = FITS[name](sure, ours, theirs, 20.0, 0.01).accepts([column(sure)])
        assert kept.mean() < 0.02 if everything else kept.mean() > 0.98


@pytest.mark.parametrize("name", FITS)
def test_informative_confidence_is_used(name: str) -> None:
    # Small is right with the probability of its confidence, large always with 0.9: the gain 0.9 - c is above 0.2 for c
    # below 0.7, which is worth the integral of 0.7 - c over [0, 0.7], 0.245.
    small, large = (lambda sure: sure), in_parts(0.9, 0.9, 0.9)
    sure, ours, theirs = drawn(small, large, 3000, 2)
    assert worth(FITS[name](sure, ours, theirs, 20.0, 0.01), small, large, 0.2) > 0.235


def divided_by(policy: ColumnPolicy) -> Any:
    """Return what a policy tells confidences apart by."""
    if isinstance(policy, UtilityPolicy):
        return policy.gain.bins
    return policy.table if isinstance(policy, TablePolicy) else policy


@pytest.mark.parametrize("name", FITS)
def test_rows_of_one_question_count_as_one(name: str) -> None:
    sure, ours, theirs = drawn(lambda c: c, in_parts(0.9, 0.9, 0.9), 300, 3)
    twice = [np.concatenate([each, each[:150]]) for each in (sure, ours, theirs)]
    groups = np.concatenate([np.arange(300), np.arange(150)])
    with_copies = FITS[name](*twice, 20, 0.01, groups=groups)
    assert divided_by(with_copies) == divided_by(FITS[name](sure, ours, theirs, 20, 0.01))


def test_three_tiers_are_fitted_to_skip_what_is_useless() -> None:
    # Below 0.5 the middle model is as weak as the small one, above it as good as the large one.
    random = np.random.default_rng(5)
    n = 4000
    first, second = random.random(n), random.random(n)
    chances = [np.where(first < 0.5, low, high) for low, high in ((0.2, 0.4), (0.2, 0.9), (0.9, 0.9))]
    qualities = [(random.random(n) < chance).astype(float) for chance in chances]
    for fit in (fit_optimal_stopping, fit_pomdp):
        policy = fit([first, second], qualities, costs=[1, 4, 30], lam=0.01)
        paths = follow(policy, [column(first), column(second)])
        assert np.mean(paths.asked[first < 0.48][:, 2]) > 0.99
        assert np.mean(paths.end[first > 0.52] == 1) > 0.98
    # Optimal: 0.9 - 0.3 in one half, 0.9 - 0.04 in the other.
    stopping = fit_optimal_stopping([first, second], qualities, costs=[1, 4, 30], lam=0.01)
    paths = follow(stopping, [column(first), column(second)])
    true = np.stack(chances)[paths.end, np.arange(n)] - 0.01 * (paths.asked @ [0, 4, 30])
    assert np.mean(true) == pytest.approx((0.6 + 0.86) / 2, abs=0.01)
    assert not paths.asked[first < 0.48][:, 1].any()


def test_a_million_rows_take_seconds() -> None:
    random = np.random.default_rng(0)
    n = 1_000_000
    first, second = random.random((2, n))
    qualities = [(random.random(n) < chance).astype(float) for chance in (first, second, 0.9)]
    begin = time.process_time()
    fit_utility(first, small=qualities[0], large=qualities[2], cost=20, lam=0.01)
    stopping = fit_optimal_stopping([first, second], qualities, costs=[1, 5, 20], lam=0.01)
    assert len(stopping.mass) == 100
    assert time.process_time() - begin < 15.0
