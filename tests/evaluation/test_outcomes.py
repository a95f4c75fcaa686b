from typing import Any

import numpy as np
import pytest

from automix_graph.evaluation import Outcomes, Tier

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


def test_questions_can_be_drawn_and_ordered() -> None:
    table = Outcomes(tiers=(Tier(**GOOD), Tier(name="large", quality=[0, 1], cost=[20, 30])))
    drawn = table.take(np.array([1, 1, 0]))
    assert (drawn.n, drawn.small.quality.tolist(), drawn.large.cost.tolist()) == (3, [0, 0, 1], [30, 30, 20])
    assert table.by_confidence().large.cost.tolist() == [30, 20]
