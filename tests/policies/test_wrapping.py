import dataclasses
from typing import Any

import numpy as np
import pytest
from example_policies import STOPPING_OF_THREE
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    ABSTAIN,
    SKIPPED,
    Always,
    Capped,
    ColumnPolicy,
    DoubleThreshold,
    Judged,
    MovingPolicy,
    PerTier,
    RandomMix,
    Threshold,
    decide,
    follow,
)
from automix_graph.records import Decision


def test_below_the_ceiling_the_policy_decides() -> None:
    policy = Capped(Threshold(0.7), max_tiers=2)
    assert [decide(policy, [judged(sure)]).accept for sure in (0.69, 0.7)] == [False, True]
    assert decide(policy, [judged(0.1)]).policy == "capped(threshold(0.7), 2 tiers)"
    assert decide(Capped(Always("large"), max_tiers=2), [judged(0.1)]).next_tier == -1


@pytest.mark.parametrize(("beyond", "accept"), [("keep", True), ("abstain", False)])
def test_at_the_ceiling_no_tier_is_asked(beyond: Any, accept: bool) -> None:
    policy = Capped(Threshold(0.7), max_tiers=2, beyond=beyond)
    decision = decide(policy, [judged(0.1), judged(0.2)])
    assert (decision.accept, decision.abstain) == (accept, not accept)
    assert decision.reason == "confidence 0.200 is below 0.7, but 2 of at most 2 tiers were asked"


def test_a_skipped_tier_does_not_count() -> None:
    policy = Capped(Threshold(0.7), max_tiers=3)
    assert decide(policy, [judged(0.1), SKIPPED, judged(0.2)]) == Decision(
        accept=False, policy=policy.name, reason="confidence 0.200 is below 0.7"
    )
    assert decide(policy, [judged(0.1), FAILED, judged(0.2)]).accept


def test_a_draft_without_a_judgement_is_given_up_at_the_ceiling() -> None:
    policy = Capped(Threshold(0.7), max_tiers=1)
    assert decide(policy, [FAILED]).abstain
    assert decide(policy, [FAILED]).reason == "no judgement: down, but 1 of at most 1 tiers were asked"
    assert not decide(Capped(Threshold(0.7), max_tiers=2), [FAILED]).abstain


def test_the_tightest_of_two_ceilings_holds() -> None:
    for policy in (Capped(Capped(Threshold(0.7), 1), 3), Capped(Capped(Threshold(0.7), 3), 1)):
        assert decide(policy, [judged(0.1)]).accept
        assert decide(policy, [FAILED]).abstain
        assert follow(policy, [column([0.1, np.nan]), column([0.9, 0.9])]).end.tolist() == [0, ABSTAIN]


def test_columns_are_capped_as_each_question_is() -> None:
    first, second, third = column([0.1, 0.9, np.nan, 0.1]), column([0.2, 0.2, 0.2, np.nan]), column([0.1] * 4)
    paths = follow(Capped(Threshold(0.7), 2), [first, second, third])
    assert paths.end.tolist() == [1, 0, 1, ABSTAIN]
    assert paths.asked.sum(axis=1).tolist() == [2, 1, 2, 2]
    assert follow(Capped(Threshold(0.7), 2, "abstain"), [first, second]).end.tolist() == [ABSTAIN, 0, ABSTAIN, ABSTAIN]
    assert follow(Capped(Always("large"), 2), [first, second, third]).end.tolist() == [3, 3, 1, 3]


@pytest.mark.parametrize(
    ("arguments", "complaint"), [({"max_tiers": 0}, "max_tiers is 0"), ({"max_tiers": 2, "beyond": "x"}, "beyond is")]
)
def test_a_ceiling_checks_its_numbers(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        Capped(Threshold(0.5), **arguments)


def test_each_tier_has_its_policy() -> None:
    policy = PerTier((Threshold(0.9), DoubleThreshold(0.2, 0.6)))
    sure = [(0.8, 0.1), (0.8, 0.3), (0.95, 0.3), (0.9, 0.9)]
    for first, second in sure:
        assert decide(policy, [judged(first)]).accept == (first >= 0.9)
        assert decide(policy, [judged(first), judged(second)]).accept == (not 0.2 <= second < 0.6)
    columns = [column([row[tier] for row in sure]) for tier in (0, 1)]
    assert follow(policy, columns).end.tolist() == [1, 2, 0, 0]
    assert policy.keeps == "tier 0: confidence >= 0.9; tier 1: confidence < 0.2 or >= 0.6"
    with pytest.raises(ConfigurationError, match=r"for 3 tiers.*3 verifications"):
        policy.decide([judged(0.1)] * 3)


def test_tiers_need_policies_and_one_ceiling_for_all() -> None:
    with pytest.raises(ConfigurationError, match="there is no policy"):
        PerTier(())
    with pytest.raises(ConfigurationError, match="put it around PerTier"):
        PerTier((Capped(Threshold(0.5), 1),))


def test_wrapped_lots_are_drawn_by_question() -> None:
    lots = RandomMix(0.5, seed=1)
    for wrapped in (Capped(lots, 3), PerTier((lots,))):
        for question in map(str, range(50)):
            expected = decide(lots, [judged(1.0)], question=question).accept
            assert decide(wrapped, [judged(1.0)], question=question).accept == expected


@pytest.mark.parametrize("beyond", ["keep", "abstain"])
def test_a_ceiling_counts_the_tiers_that_each_question_asked(beyond: Any) -> None:
    policy = Capped(Threshold(0.7), 2, beyond)
    first = column([0.1] * 3)
    second = Judged(
        confidence=np.array([0.1, np.nan, 0.9]),
        correct=np.zeros(3, dtype=np.bool_),
        asked=np.array([True, False, True]),
    )
    stopped = 1 if beyond == "keep" else ABSTAIN
    assert policy.moves([first], 3).tolist() == [1] * 3
    assert policy.moves([first, second], 3).tolist() == [stopped, 2, 1]
    assert policy.moves([first, column([0.1, np.nan, 0.9])], 3).tolist() == [stopped, ABSTAIN, 1]
    assert policy.accepts([first, second]).tolist() == [beyond == "keep", False, True]
    assert policy.accepts([first]).tolist() == [False] * 3
    one = Capped(Always("large"), 1, beyond)
    assert one.accepts([first]).tolist() == [beyond == "keep"] * 3


def test_a_ceiling_counts_what_was_skipped_as_not_asked() -> None:
    again = dataclasses.replace(SKIPPED)  # as read from a file: equal, and another object
    for skipped in (SKIPPED, again):
        decision = decide(Capped(Threshold(0.7), 2), [judged(0.1), skipped, judged(0.2)])
        assert decision.reason == "confidence 0.200 is below 0.7, but 2 of at most 2 tiers were asked"
        assert decision.policy == "capped(threshold(0.7), 2 tiers)"
        assert not decide(Capped(Threshold(0.7), 3), [judged(0.1), skipped, judged(0.2)]).accept


def test_columns_of_wrapped_policies_know_the_number_of_tiers() -> None:
    columns = [column([0.1, 0.9])] * 2
    for policy in (
        Capped(Capped(Always("large"), 3), 3),
        PerTier((Always("large"), Always("large"))),
        Capped(STOPPING_OF_THREE, 3),
        PerTier((STOPPING_OF_THREE, STOPPING_OF_THREE)),
    ):
        assert isinstance(policy, MovingPolicy)
        inner = Always("large") if "always" in policy.name else STOPPING_OF_THREE
        assert follow(policy, columns).end.tolist() == follow(inner, columns).end.tolist()
        for history in (columns[:1], columns):
            assert policy.moves(history, 3).tolist() == inner.moves(history, 3).tolist()
        assert isinstance(policy, ColumnPolicy)
        assert policy.accepts(columns).tolist() == inner.accepts(columns).tolist()
