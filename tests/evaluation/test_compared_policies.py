"""Policies that are compared in one evaluation, with each other and with models alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from plain_evaluations import by_confidence, plain, simulated
from tables_of_outcomes import judged, three_tiers, two_tiers

from automix_graph.evaluation import Outcomes, bootstrap_interval, evaluate, replay
from automix_graph.policies import AcceptCorrect, Policy, Threshold
from automix_graph.records import Decision, Verification


def test_policies_are_compared_and_the_first_is_the_headline() -> None:
    outcomes = simulated(80)
    found = plain(outcomes, Threshold(0.7), Threshold(0.2))
    assert found["policy"] == {
        "name": "threshold(0.7)",
        "keeps": "confidence >= 0.7",
        "threshold": 0.7,
        "in_hindsight": False,
    }
    assert [policy["threshold"] for policy in found["policies"]] == [0.7, 0.2]
    assert found["quality"] == found["policies"][0]["quality"] != found["policies"][1]["quality"]
    best = found["best_in_hindsight"]
    assert best["in_hindsight"] is True
    assert plain(outcomes, Threshold(best["threshold"]))["cost"] == best["cost"]
    assert plain(outcomes)["policy"]["name"] == "accept-correct"


@pytest.mark.parametrize("policies", [[], [Threshold(0.5), Threshold(0.5)], [AcceptCorrect(), AcceptCorrect()]])
def test_policies_must_differ(policies: list[Policy]) -> None:
    with pytest.raises(ValueError, match="give at least one, and each only once"):
        evaluate(two_tiers([(0, 1, 0.5)]), policies)


def test_differences_of_policies_are_paired() -> None:
    outcomes = simulated(60)
    policies = [Threshold(0.3), Threshold(0.7)]
    found = plain(outcomes, *policies, n_resamples=80)
    assert found["policies"][0]["over_first"] is None
    over = found["policies"][1]["over_first"]
    ordered = by_confidence(outcomes)
    for name in ("quality", "cost"):
        first, second = (getattr(replay(ordered, policy), name) for policy in policies)
        alone = bootstrap_interval(lambda a, b: (b - a).mean(), first, second, seed=0, n_resamples=80)
        assert over[name] == pytest.approx((second - first).mean())
        assert (over["intervals"][name]["low"], over["intervals"][name]["high"]) == pytest.approx(
            (alone.low, alone.high)
        )
    assert found["best_in_hindsight"]["over_first"]["cost"] == pytest.approx(
        found["best_in_hindsight"]["cost"] - found["cost"]
    )


def test_models_alone_mix_and_oracle_stand_beside_the_policies() -> None:
    found = plain(judged([(1, 1, 0.9), (0, 1, 0.7), (0, 0, 0.1), (1, 0, 0.3)]))
    # The oracle takes the small model where it is right, or both are wrong.
    assert found["references"] == {
        "small_only": {"quality": 0.5, "cost": 1.0},
        "large_only": {"quality": 0.5, "cost": 22.0},
        "oracle": {"quality": 0.75, "cost": pytest.approx((1 + 22 + 1 + 1) / 4)},
    }
    assert found["random_mix"]["cost"] == pytest.approx(found["cost"])
    assert found["random_mix"]["share_large"] == pytest.approx((1.5 + 20 / 2 - 1) / 21)


@settings(deadline=None, max_examples=40)
@given(three_tiers())
def test_the_oracle_is_the_cheapest_of_the_best(outcomes: Outcomes) -> None:
    found = plain(outcomes)["references"]["oracle"]
    best = []
    for question in range(outcomes.n):
        options = [(-tier.quality[question], tier.cost[question]) for tier in outcomes.tiers]
        best.append(min(options))
    assert found["quality"] == pytest.approx(-np.mean([quality for quality, _ in best]))
    assert found["cost"] == pytest.approx(np.mean([cost for _, cost in best]))


def test_where_each_question_ended_is_told_in_the_order_of_the_questions() -> None:
    outcomes = judged([(0, 1, 0.2), (1, 1, 0.9), (0, 1, None), (1, 1, 0.8)])
    found = evaluate(outcomes, [AcceptCorrect(), Threshold(0.85)], n_resamples=2)
    assert [result.cascade.route.tolist() for result in found.policies] == [[1, 0, 1, 0], [1, 0, 1, 1]]
    assert [result.name for result in found.policies] == ["accept-correct", "threshold(0.85)"]
    assert [result.keeps for result in found.policies] == ["verdict CORRECT", "confidence >= 0.85"]
    assert found.policies[0].answered == (0.5, 0.5)


def test_any_policy_can_be_compared() -> None:
    class Own:
        name = "own"

        def decide(self, history: Sequence[Verification]) -> Decision:
            return Decision(accept=history[-1].confidence in {0.2, 0.9}, policy=self.name, reason="")

    found = plain(two_tiers([(0, 1, 0.2), (1, 1, 0.9), (1, 1, 0.6)]), Own())
    assert found["policy"] == {"name": "own", "keeps": "own", "threshold": None, "in_hindsight": False}
    assert found["escalated"] == pytest.approx(1 / 3)
