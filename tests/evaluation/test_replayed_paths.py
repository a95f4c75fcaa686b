"""Replays of policies that skip tiers, and of those that give questions up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_by_one import OneByOne
from tables_of_outcomes import three_tiers

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Outcomes, Tier, evaluate, replay
from automix_graph.policies import (
    ABSTAIN,
    Always,
    Bins,
    Capped,
    OptimalStopping,
    PerTier,
    Policy,
    StepCurve,
    Threshold,
    UtilityPolicy,
)
from automix_graph.records import Decision, Verification

HOPELESS = UtilityPolicy(
    gain=StepCurve(bins=Bins((0.2, 0.7)), values=(0.5, 0.4, 0.0)),
    lam=0.01,
    cost=20,
    best=StepCurve(bins=Bins((0.2,)), values=(0.1, 0.9)),
    abstain_below=0.3,
)
SKIPPING = OptimalStopping(
    bins=(Bins((0.4,)), Bins((0.4,))),
    mass=(0.25, 0.25, 0.25, 0.25),
    quality=((0.1, 0.1, 0.9, 0.9), (0.2, 0.2, 0.9, 0.9), (0.9, 0.9, 0.9, 0.9)),
    costs=(1, 10, 12),
    lam=0.01,
)


def two_tiers() -> Outcomes:
    small = Tier(name="small", quality=[1, 1, 0], cost=1, confidence=[0.1, 0.5, 0.9], verify_cost=0.5)
    return Outcomes(tiers=(small, Tier(name="large", quality=[1, 1, 1], cost=20)))


def test_questions_that_are_given_up_have_no_answer_and_did_not_escalate() -> None:
    found = replay(two_tiers(), HOPELESS)
    assert found.route.tolist() == [ABSTAIN, 1, 0]
    assert found.quality.tolist() == [0.0, 1.0, 0.0]
    assert found.cost.tolist() == [1.5, 21.5, 1.5]
    assert found.escalated == found.abstained == pytest.approx(1 / 3)
    taken = found.take(np.array([0, 0, 1]))
    assert taken.abstained == pytest.approx(2 / 3)
    assert taken.escalated == pytest.approx(1 / 3)
    assert taken.reached(1).tolist() == [False, False, True]


def test_skipped_tiers_cost_nothing() -> None:
    tiers = [
        Tier(name=name, quality=[0, 0], cost=cost, confidence=sure, verify_cost=0.5)
        for name, cost, sure in (("a", 1, [0.1, 0.9]), ("b", 10, [0.9, 0.9]), ("c", 12, None))
    ]
    found = replay(Outcomes(tiers=tuple(tiers)), SKIPPING)
    assert found.route.tolist() == [2, 0]
    assert found.cost.tolist() == [13.5, 1.5]  # 1 + 0.5 + 12: nothing verifies the last tier
    assert found.asked is not None
    assert found.asked.tolist() == [[True, False, True], [True, False, False]]


def test_an_evaluation_tells_who_was_asked() -> None:
    result = evaluate(two_tiers(), [HOPELESS], n_resamples=5).policies[0]
    assert result.asked == pytest.approx((1.0, 1 / 3))
    assert result.answered == pytest.approx((1 / 3, 1 / 3))


@given(
    three_tiers(),
    st.sampled_from(
        [
            SKIPPING,
            Always("large"),
            Always(1),
            PerTier((Threshold(0.3), Threshold(0.6))),
            Capped(Threshold(0.6), max_tiers=2, beyond="abstain"),
        ]
    ),
)
def test_all_at_once_is_one_by_one(outcomes: Outcomes, policy: Policy) -> None:
    together, alone = replay(outcomes, policy), replay(outcomes, OneByOne(policy))
    assert together.route.tolist() == alone.route.tolist()
    np.testing.assert_allclose(together.cost, alone.cost)
    assert together.quality.tolist() == alone.quality.tolist()


@dataclass(frozen=True)
class Beyond:
    """Send everything to a tier that is not there."""

    name: str = "beyond"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=False, policy=self.name, reason="", next_tier=7)


def test_a_tier_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="position 7, and the last of 2 is 1"):
        replay(two_tiers(), Beyond())
