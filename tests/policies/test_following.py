"""Following a policy from tier to tier: what it is told, and where it may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from verifications import column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Always, Capped, Judged, decide, follow
from automix_graph.records import Decision, Verification


class Watching:
    """Goes one tier on, and notes what it is told."""

    name, keeps = "watching", "nothing"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def decide(self, history: Sequence[Verification]) -> Decision:
        raise AssertionError

    def moves(self, history: Sequence[Judged], tiers: int) -> Any:
        self.seen.append([None if found.asked is None else found.asked.tolist() for found in history])
        return np.array([2, 1] if len(history) == 1 else [len(history)] * 2)


def test_a_policy_is_told_which_questions_each_tier_was_asked() -> None:
    policy = Watching()
    follow(policy, [column([0.1, 0.1]), column([0.1, 0.1])])
    assert policy.seen == [[[True, True]], [[True, True], [False, True]]]


class Ceiling(Watching):
    """Limits nothing, and notes how many tiers it is told of."""

    def limit(self, decision: Decision, history: Sequence[Verification]) -> Decision:
        return decision

    def limit_moves(self, moves: Any, history: Sequence[Judged], tiers: int) -> Any:
        self.seen.append(tiers)
        return moves


def test_a_policy_that_limits_knows_the_number_of_tiers() -> None:
    policy = Ceiling()
    Capped(policy, 9).moves([column([0.1, 0.1])], 3)
    assert [seen for seen in policy.seen if isinstance(seen, int)] == [3]
    follow(policy, [column([0.1, 0.1])] * 2)
    assert [seen for seen in policy.seen if isinstance(seen, int)] == [3, 3, 3]


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

    class Jumping(Always):
        def moves(self, history: Sequence[Judged], tiers: int) -> Any:
            seen.append([found.confidence.tolist() for found in history])
            return np.full(1, 2 if len(history) == 1 else len(history) - 1)

    assert follow(Jumping("large"), [column([0.1]), column([0.9]), column([0.8])]).end.tolist() == [2]
    assert np.isnan(seen[2][1][0])
    assert (seen[2][0], seen[2][2]) == ([0.1], [0.8])
