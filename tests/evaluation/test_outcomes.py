from typing import Any

import numpy as np
import pytest
from tables_of_outcomes import verification

from automix_graph.evaluation import Outcomes, Tier
from automix_graph.evaluation.outcomes import escalation_order, has_judgement

GOOD: dict[str, Any] = {"name": "small", "quality": [1, 0], "cost": 1, "confidence": [0.9, 0.1], "verify_cost": 0.1}


def test_a_single_cost_holds_for_all_questions() -> None:
    tier = Tier(**GOOD)
    assert tier.cost.tolist() == [1.0, 1.0]
    assert tier.verify_cost.tolist() == [0.1, 0.1]
    assert not tier.graded
    assert Tier(**GOOD | {"quality": [1, 0.5]}).graded


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"quality": []}, "quality of tier 'small' is empty"),
        ({"quality": [1, 1.5]}, r"quality of tier 'small' holds 1.5 at row 1 .*\[0, 1\]"),
        ({"quality": [1, float("nan")]}, "quality of tier 'small' holds nan at row 1"),
        ({"confidence": [0.5, -0.1]}, "confidence of tier 'small' holds -0.1 at row 1"),
        ({"confidence": [0.5]}, "quality has 2, confidence has 1"),
        ({"cost": [1, -1]}, "cost of tier 'small' holds -1.0 at row 1; give costs of 0 or more"),
        ({"cost": float("inf")}, "cost of tier 'small' holds inf"),
        ({"cost": float("nan")}, "cost of tier 'small' holds nan"),
        ({"cost": [1]}, "quality has 2, cost has 1"),
        ({"verify_cost": -0.1}, "verify cost of tier 'small' holds -0.1"),
    ],
)
def test_bad_columns_are_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Tier(**GOOD | change)


def test_tiers_must_make_a_cascade() -> None:
    small, large = Tier(**GOOD), Tier(name="large", quality=[1, 1], cost=20)
    for tiers, complaint in [
        ((small,), "at least two tiers; 1 given"),
        ((small, Tier(name="small", quality=[1, 1], cost=20)), "name of its own"),
        ((small, Tier(name="large", quality=[1], cost=20)), "tier 'small' has 2, tier 'large' has 1"),
        ((large, small), "tier 'large' has no confidence"),
        ((small, Tier(**GOOD | {"name": "large"})), "'large' is the last one"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            Outcomes(tiers=tiers)


def test_questions_can_be_drawn() -> None:
    table = Outcomes(tiers=(Tier(**GOOD), Tier(name="large", quality=[0, 1], cost=[20, 30])))
    drawn = table.take(np.array([1, 1, 0]))
    assert (drawn.n, drawn.small.quality.tolist(), drawn.large.cost.tolist()) == (3, [0, 0, 1], [30, 30, 20])
    named = Outcomes(tiers=table.tiers, ids=("p", "q"), unit="usd").take(np.array([1, 1, 0]))
    assert (named.ids, named.unit) == (("q", "q", "p"), "usd")


def test_a_tier_alone_costs_what_it_costs_unless_said() -> None:
    assert Tier(**GOOD).alone_cost.tolist() == [1.0, 1.0]
    assert Tier(**GOOD, alone_cost=[2, 3]).alone_cost.tolist() == [2.0, 3.0]
    assert Tier(**GOOD, alone_cost=[2, 3]).take(np.array([1])).alone_cost.tolist() == [3.0]
    with pytest.raises(ValueError, match=r"alone cost of tier 'small' holds -1\.0"):
        Tier(**GOOD, alone_cost=-1)


def test_confidence_and_verdict_are_those_of_the_verifications() -> None:
    found = [verification(0.7, above=0.8), verification(None)]
    tier = Tier(name="small", quality=[1, 0], cost=1, verifications=found)
    assert tier.confidence is not None and tier.correct is not None
    assert tier.confidence[0] == 0.7 and np.isnan(tier.confidence[1])
    assert tier.correct.tolist() == [False, False]
    assert has_judgement(tier).tolist() == [True, False]
    assert escalation_order(tier).tolist() == [0.7, -np.inf]
    table = Outcomes(tiers=(tier, Tier(name="large", quality=[1, 1], cost=2)))
    assert table.verifications == ((found[0],), (found[1],))
    assert table.take(np.array([1])).verifications == ((found[1],),)
    assert Outcomes(tiers=(Tier(**GOOD), Tier(name="large", quality=[1, 1], cost=2))).verifications is None


def test_verifications_and_confidences_are_one_or_the_other() -> None:
    with pytest.raises(ValueError, match="both a confidence and verifications"):
        Tier(**GOOD, verifications=[verification(0.7), verification(0.7)])
    with pytest.raises(ValueError, match="quality has 2, confidence has 1"):
        Tier(name="small", quality=[1, 0], cost=1, verifications=[verification(0.7)])
    with pytest.raises(ValueError, match="ids has 1"):
        Outcomes(tiers=(Tier(**GOOD), Tier(name="large", quality=[1, 1], cost=2)), ids=("q",))
