"""POMDP policies against Bayes' rule worked out state by state."""

from __future__ import annotations

import pytest
from example_policies import HALVES
from hypothesis import given, settings
from hypothesis import strategies as st
from table_problems import confidence_in, difficulties, own_table
from verifications import judged

from automix_graph.policies import SKIPPED, PomdpPolicy


def belief_value(policy: PomdpPolicy, belief: list[float], tier: int) -> tuple[float, list[float]]:
    """Return the best value, and those of all choices, under a belief, by recursion over the beliefs to come."""
    last = len(policy.costs) - 1
    here = sum(b * q for b, q in zip(belief, policy.quality[tier], strict=True))
    if tier == last:
        return here, [here]
    choices = [here]
    for later in range(tier + 1, last + 1):
        worth = -policy.lam * policy.costs[later]
        if later == last:
            worth += belief_value(policy, belief, later)[0]
        else:
            for seen in (0, 1):
                joint = [b * row[seen] for b, row in zip(belief, policy.observation[later], strict=True)]
                worth += sum(joint) * belief_value(policy, [w / sum(joint) for w in joint], later)[0]
        choices.append(worth)
    return max(choices), choices


@settings(max_examples=60, deadline=None)
@given(policy=st.one_of(difficulties(2), difficulties(3), difficulties(4)))
def test_a_pomdp_does_what_its_belief_says(policy: PomdpPolicy) -> None:
    for known, move in own_table(policy).items():
        weights = list(policy.prior)
        for tier, seen in enumerate(known):
            if seen is not None:
                weights = [w * row[seen] for w, row in zip(weights, policy.observation[tier], strict=True)]
        belief = [weight / sum(weights) for weight in weights]
        history = [SKIPPED if seen is None else judged(confidence_in(seen)) for seen in known]
        assert policy.belief(history) == pytest.approx(belief)
        best, choices = belief_value(policy, belief, len(known) - 1)
        assert choices[move - (len(known) - 1)] == pytest.approx(best, abs=1e-9)


def test_two_models_by_bayes_rule_in_exact_numbers() -> None:
    # Low bin: 0.5 * 0.2 = 0.10 easy, 0.25 * 0.6 = 0.15 needs large, 0.25 * 0.8 = 0.20 unsolvable, in sum 0.45. The gain
    # is 0.15 / 0.45 = 1/3 less 0.1 * 0.10 / 0.45 for what the large model gets wrong of the easy ones: 0.3111.
    # High bin: 0.40, 0.10, 0.05, in sum 0.55; (0.10 - 0.04) / 0.55 = 0.1091.
    def policy(lam: float) -> PomdpPolicy:
        return PomdpPolicy(
            bins=(HALVES,),
            prior=(0.5, 0.25, 0.25),
            observation=(((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
            quality=((1, 0, 0), (0.9, 1, 0)),
            costs=(1, 20),
            lam=lam,
        )

    assert [policy(lam).table for lam in (0.0054, 0.0055, 0.0155, 0.0156)] == [
        ([1, 1],),
        ([1, 0],),
        ([1, 0],),
        ([0, 0],),
    ]
    assert policy(0.01).keeps == "confidence in [0.5, 1]"
    assert policy(0.01).belief([judged(0.25)]) == pytest.approx((10 / 45, 15 / 45, 20 / 45))
    reason = "easy 0.727, needs large 0.182, unsolvable 0.091: keeping is worth 0.727, tier 1 0.636"
    assert policy(0.01).decide([judged(0.75)]).reason == reason
