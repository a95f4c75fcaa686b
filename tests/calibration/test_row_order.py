"""The order of rows in a file decides nothing, and what is drawn in its place hangs on no row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_to_calibrate import drawn, three_tiers

from automix_graph.calibration import MaxCost, MaxError, MaxRegret, MinQuality, PriceOfError, Target, calibrate
from automix_graph.calibration.cross_validation import folds_of
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.row_order import named_questions
from automix_graph.calibration.splitting import places_of
from automix_graph.evaluation import Outcomes, Tier

TARGETS = (MaxCost(8), MinQuality(0.8), PriceOfError(40), MaxError(0.3, 0.2), MaxRegret(0.08, 0.1))


def noisy_three_tiers() -> Outcomes:
    """Three tiers whose rows tie in confidence, differ in cost, and sometimes were not judged."""
    generator, outcomes = np.random.default_rng(0), three_tiers(500)
    tiers = []
    for tier in outcomes.tiers:
        judged = {}
        if tier.confidence is not None:
            judged = {"confidence": np.round(tier.confidence, 1), "verify_cost": generator.random(500)}
        tiers.append(
            Tier(name=tier.name, quality=tier.quality, cost=tier.cost * generator.integers(1, 3, 500), **judged)
        )
    return Outcomes(tiers=tuple(tiers))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("outcomes", [drawn(500), noisy_three_tiers()], ids=["two", "three"])
def test_rows_in_another_order_give_the_same_policy(outcomes: Outcomes, named: bool, target: Target) -> None:
    groups = np.array([f"question {row // 2}" for row in range(500)])
    shuffled = np.random.default_rng(1).permutation(500)
    first = calibrate(outcomes, target, groups=groups if named else None, seed=2)
    second = calibrate(outcomes.take(shuffled), target, groups=groups[shuffled] if named else None, seed=2)
    assert first.policy == second.policy
    assert first.as_dict() == second.as_dict()
    assert calibrate(outcomes, target, groups=groups if named else None, seed=3).as_dict() != first.as_dict()


def test_unnamed_rows_that_are_alike_are_dealt_like_any_others() -> None:
    # Two kinds of rows only: by what is in them, each kind would go one way.
    small = Tier(name="small", quality=np.arange(600) % 2, cost=1, confidence=np.full(600, 0.5))
    rows = QuestionRows.of(Outcomes(tiers=(small, Tier(name="large", quality=np.ones(600), cost=20))), None)
    folds = folds_of(rows, seed=0)
    assert np.bincount(folds).tolist() == [120] * 5
    right = np.bincount(folds, weights=rows.outcomes.small.quality)
    assert right.min() > 40
    assert right.max() < 80


def test_one_more_row_deals_unnamed_rows_anew() -> None:
    outcomes = drawn(400)
    fewer = outcomes.take(np.arange(399))
    one, other = (QuestionRows.of(some, None) for some in (outcomes, fewer))
    sure = [rows.outcomes.small.confidence[folds_of(rows, seed=0) == 0] for rows in (one, other)]
    # A fold of 80 shares 16 rows with another one by chance.
    assert np.intersect1d(*sure).size < 35


@given(st.lists(st.text(max_size=2), min_size=1, max_size=30), st.integers(0, 2**64 - 1), st.randoms())
def test_the_place_of_a_question_hangs_on_names_and_seed(names: list[str], seed: int, random) -> None:
    places = places_of(named_questions(names), seed=seed)
    assert sorted(set(places.tolist())) == list(range(len(set(names))))
    found = dict(zip(names, places.tolist(), strict=True))
    assert [found[name] for name in names] == places.tolist()
    again = random.sample(names, len(names))
    assert places_of(named_questions(again), seed=seed).tolist() == [found[name] for name in again]


def test_places_are_uniform_over_seeds() -> None:
    questions = named_questions([f"q{number}" for number in range(50)])
    places = np.array([places_of(questions, seed=seed) for seed in range(2000)])
    # Each question is in each place as often as in any other: 40 times, with a standard deviation of 6.3.
    counts = np.array([np.bincount(column, minlength=50) for column in places.T])
    assert counts.var() == pytest.approx(40 * 0.98, rel=0.15)
