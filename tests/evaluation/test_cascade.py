import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_of_outcomes import three_tiers

from automix_graph.evaluation import ACCEPT_CORRECT, Outcomes, Rule, follow, run_cascade
from automix_graph.policies import AcceptCorrect, Threshold
from automix_graph.records import Verdict, Verification

THRESHOLDS = st.sampled_from([0.0, 0.3, 0.5, 1.0])


def walked(outcomes: Outcomes, rule: Rule, question: int) -> tuple[int, float, float]:
    """One question, step by step: its route, quality and cost."""
    paid = 0.0
    for position, tier in enumerate(outcomes.tiers):
        paid += tier.cost[question]
        if tier.confidence is None:
            return position, tier.quality[question], paid
        paid += tier.verify_cost[question]
        sure = tier.confidence[question]
        if sure > rule.minimum or (sure == rule.minimum and not rule.above):
            return position, tier.quality[question], paid
    raise AssertionError("the last tier keeps every question")


@given(three_tiers(), THRESHOLDS, st.booleans())
def test_every_question_goes_up_until_an_answer_is_kept(outcomes: Outcomes, minimum: float, above: bool) -> None:
    rule = Rule(minimum, above=above)
    found = follow(outcomes, rule)
    for question in range(outcomes.n):
        route, quality, cost = walked(outcomes, rule, question)
        assert (found.route[question], found.quality[question]) == (route, quality)
        assert found.cost[question] == pytest.approx(cost)
    assert found.escalated == pytest.approx(np.mean([walked(outcomes, rule, q)[0] > 0 for q in range(outcomes.n)]))


@given(three_tiers())
def test_a_higher_threshold_never_costs_less(outcomes: Outcomes) -> None:
    costs = [follow(outcomes, Rule(minimum)).cost for minimum in (0.0, 0.3, 0.5, 0.8, 1.0)]
    for lower, higher in itertools.pairwise(costs):
        assert (higher >= lower - 1e-12).all()


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.5, 0.500001, 0.7, 1.0])
def test_a_rule_decides_as_the_policy_of_its_name(confidence: float) -> None:
    verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
    judged = [Verification(method="short", verdict=verdict, confidence=confidence)]
    for rule, policy in [(ACCEPT_CORRECT, AcceptCorrect()), (Rule(0.7), Threshold(0.7)), (Rule(0.5), Threshold(0.5))]:
        assert rule.name == policy.name
        assert rule.keep(np.array([confidence]))[0] == policy.decide(judged).accept


def test_what_no_rule_can_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"threshold 1.5 is not a confidence"):
        Rule(1.5)


@given(three_tiers())
def test_kept_needs_a_column_for_each_verified_tier(outcomes: Outcomes) -> None:
    column = np.ones(outcomes.n, dtype=np.bool_)
    with pytest.raises(ValueError, match="one a verified tier"):
        run_cascade(outcomes, [column])
    with pytest.raises(ValueError, match="one a verified tier"):
        run_cascade(outcomes, [column, np.append(column, True)])
