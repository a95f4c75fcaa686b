import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    ABSTAIN,
    SKIPPED,
    Always,
    Capped,
    DoubleThreshold,
    Judged,
    PerTier,
    RandomMix,
    Threshold,
    decide,
    follow,
)
from automix_graph.records import Decision, Record, Verification


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


class Backwards:
    name = "backwards"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=False, policy=self.name, reason="", next_tier=1)

    keeps = "nothing"

    def moves(self, history: Sequence[Judged], tiers: int) -> np.ndarray:
        return np.full(history[-1].confidence.size, 0)


def test_a_question_goes_forward_only() -> None:
    assert decide(Backwards(), [judged(0.1)]).next_tier == 1
    with pytest.raises(ConfigurationError, match="from the tier at position 1 to that at 1"):
        decide(Backwards(), [judged(0.1), judged(0.1)])
    with pytest.raises(ConfigurationError, match="from tier 1 to tier 0"):
        # It keeps at tier 0, so that only a question that failed there comes to tier 1.
        follow(Backwards(), [column([np.nan]), column([0.1])])


def test_a_policy_for_single_questions_has_no_columns() -> None:
    class Own:
        name = "own"

        def decide(self, history: Sequence[Verification]) -> Decision:
            raise AssertionError

    with pytest.raises(ConfigurationError, match="decides about one question at a time"):
        follow(Own(), [column([0.1])])


def test_what_was_skipped_is_unknown_to_the_policy() -> None:
    seen = []

    class Watching(Always):
        def moves(self, history: Sequence[Judged], tiers: int) -> Any:
            seen.append([found.confidence.tolist() for found in history])
            return np.full(1, 2 if len(history) == 1 else len(history) - 1)

    assert follow(Watching("large"), [column([0.1]), column([0.9]), column([0.8])]).end.tolist() == [2]
    assert np.isnan(seen[2][1][0])
    assert (seen[2][0], seen[2][2]) == ([0.1], [0.8])


def test_a_decision_is_one_of_three() -> None:
    said = {"policy": "p", "reason": "r"}
    for wrong in (
        {"accept": True, "abstain": True},
        {"accept": True, "next_tier": 2},
        {"accept": False, "abstain": True, "next_tier": 2},
    ):
        with pytest.raises(ValueError, match="one of the three"):
            Decision(**said, **wrong)  # type: ignore[arg-type]
    for position in (0, -2):
        with pytest.raises(ValueError, match=f"next_tier of policy 'p' is {position}"):
            Decision(**said, accept=False, next_tier=position)  # type: ignore[arg-type]


def test_decisions_survive_json_and_old_ones_are_read() -> None:
    kinds: list[dict[str, Any]] = [{"next_tier": 2}, {"next_tier": -1}, {"abstain": True}, {}]
    decisions = tuple(Decision(accept=False, policy="p", reason="r", **kind) for kind in kinds)
    record = Record(question="q", language="en", prompts="f", decisions=decisions, verifications=(SKIPPED,))
    assert Record.from_json(record.to_json()) == record
    assert Record.from_json(record.to_json()).verifications[0] == SKIPPED
    data = dataclasses.asdict(record)
    data["decisions"] = [{"accept": True, "policy": "p", "reason": "r"}]
    assert Record.from_data(data).decisions == (Decision(accept=True, policy="p", reason="r"),)
