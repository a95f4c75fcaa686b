import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.calibration import MaxCost, MaxError, MaxRegret, MinQuality, PriceOfError
from automix_graph.calibration.families import concave
from automix_graph.errors import ConfigurationError

QUALITY = np.array([0.7, 0.8, 0.8, 0.75])
COST = np.array([1.0, 5.0, 4.0, 9.0])


def test_a_budget_takes_the_best_quality_that_it_allows() -> None:
    assert MaxCost(5).pick(QUALITY, COST) == 2  # as good as rule 1, and cheaper
    assert MaxCost(3.9).pick(QUALITY, COST) == 0
    assert MaxCost(0.5).pick(QUALITY, COST) == 0  # the nearest
    assert not MaxCost(0.5).met(0.7, 1.0)
    assert MaxCost(1.0).met(0.7, 1.0)


def test_a_budget_is_met_whatever_the_order_of_a_sum() -> None:
    assert MaxCost(0.3).met(0.7, 0.1 + 0.2)


def test_a_floor_takes_the_least_cost_that_reaches_it() -> None:
    assert MinQuality(0.75).pick(QUALITY, COST) == 2
    assert MinQuality(0.6).pick(QUALITY, COST) == 0
    assert MinQuality(0.9).pick(QUALITY, COST) == 2  # the nearest: the best quality there is
    assert not MinQuality(0.9).met(0.8, 4.0)


def test_a_price_weighs_errors_against_cost() -> None:
    # cost + 100 (1 - quality) is 31, 25, 24, 34; with a price of 10 it is 4, 7, 6, 11.5.
    assert PriceOfError(100).pick(QUALITY, COST) == 2
    assert PriceOfError(10).pick(QUALITY, COST) == 0
    assert PriceOfError(50).lam == 0.02


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: MaxCost(-1), "budget is -1"),
        (lambda: MaxCost(float("nan")), "budget is nan"),
        (lambda: MinQuality(1.1), r"floor is 1\.1"),
        (lambda: PriceOfError(0), "price of an error is 0"),
        (lambda: PriceOfError(float("inf")), "price of an error is inf"),
        (lambda: MaxError(0, 0.1), "alpha is 0"),
        (lambda: MaxRegret(0.1, 1), "delta is 1"),
    ],
)
def test_what_is_no_target_is_refused(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigurationError, match=complaint):
        make()


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0, 2.0])), min_size=1, max_size=12))
def test_the_concave_curve_is_above_the_quality_and_falls_in_slope(rules: list[tuple[float, float]]) -> None:
    quality = np.array([q for q, _ in rules])
    cost = np.cumsum([step for _, step in rules])
    # Rules of equal cost are equal rules.
    quality = np.array([quality[np.flatnonzero(cost == c)[0]] for c in cost])
    found = concave(quality, cost)
    assert (found >= quality - 1e-9).all()
    assert found[0] == quality[0]
    spent = np.diff(np.unique(cost))
    slopes = np.diff(found[np.unique(cost, return_index=True)[1]]) / spent
    assert (np.diff(slopes) <= 1e-9).all()
    # Nothing lies below both the curve and a straight line between two rules: it is the least such curve.
    assert found[-1] == pytest.approx(quality[-1])
