"""Decisions that cannot be: the whole message, and the code that the troubleshooting page explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from example_policies import STOPPING, Own
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Always, Judged, PerTier, Threshold, decide, follow
from automix_graph.records import Decision, Verification


class Moving(Own):
    def moves(self, history: Sequence[Judged], tiers: int) -> Any:
        return self.said


class Accepting(Own):
    def accepts(self, history: Sequence[Judged]) -> Any:
        return self.said


class Asking(Own):
    def decide_for(self, question: str, history: Sequence[Verification]) -> Any:
        return self.said if question == "q" else going(0)


class Limiting(Own):
    def limit(self, decision: Decision, history: Sequence[Verification]) -> Any:
        return self.said

    def limit_moves(self, moves: Any, history: Sequence[Judged], tiers: int) -> Any:
        return moves


def going(next_tier: int) -> Decision:
    return Decision(accept=False, policy="own", reason="r", next_tier=next_tier)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: decide(Own("yes"), [judged(0.1)]), "'own' decided 'yes'; decide(history) must return a Decision"),
        (
            lambda: decide(Own(going(1)), [judged(0.1)] * 2),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Asking(going(1)), [judged(0.1)] * 2, question="q"),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Limiting(going(1)), [judged(0.1), FAILED]),
            "'own' sends a question from the tier at position 1 to that at 1; a question only goes on to a later one, "
            "and -1 is the last",
        ),
        (
            lambda: decide(Limiting(Decision(accept=True, policy="own", reason="r")), [FAILED]),
            "'own' keeps a draft without a judgement; escalate or abstain",
        ),
        (
            lambda: follow(Own(None), [column([0.1])]),
            "'own' decides about one question at a time; give it accepts(history) or moves(history, tiers), see "
            "ColumnPolicy and MovingPolicy",
        ),
        (
            lambda: follow(Moving(np.zeros(3, dtype=np.intp)), [column([0.1, 0.2])]),
            "'own' decided in shape (3,); moves(history, tiers) must return shape (2,), one decision a question",
        ),
        (
            lambda: follow(Accepting(np.zeros(3, dtype=np.bool_)), [column([0.1, 0.2])]),
            "'own' decided in shape (3,); accepts(history) must return shape (2,), one decision a question",
        ),
        *(
            (
                lambda to=to: follow(Moving(np.array([0, to])), [column([0.1, 0.2])] * 2),
                f"'own' sends questions from tier 0 to tier {to}; there are tiers 0 to 2, and a question only goes on "
                "to a later one",
            )
            for to in (3, 4, -2)
        ),
        (lambda: Always(3).moves([column([0.1])], 3), "'always(3)' asks for tier 3, and the last of 3 is 2"),
        (
            lambda: PerTier((Threshold(0.5),)).decide([judged(0.1)] * 2),
            "'per-tier(threshold(0.5))' is for 2 tiers, of which the last is not verified; it was asked to decide "
            "about 2 verifications",
        ),
        (
            lambda: STOPPING.moves([column([0.1])], 3),
            f"{STOPPING.name!r} is for 2 tiers, and there are 3",
        ),
        *(
            (
                lambda asked=asked: STOPPING.decide([judged(0.1)] * asked),
                f"{STOPPING.name!r} is for 2 tiers, of which the last is not verified; it was asked to decide about "
                f"{asked} verifications",
            )
            for asked in (0, 2)
        ),
    ],
)
def test_a_decision_that_cannot_be_is_refused(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        act()
    assert (str(told.value), told.value.code) == (f"policy {message}", "policy-decision")


def test_a_policy_that_tells_questions_apart_is_asked_about_them_where_they_are_known() -> None:
    assert decide(Asking(going(2)), [judged(0.1)] * 2, question="q") == going(2)
    assert decide(Asking(going(1)), [judged(0.1)], question="q") == going(1)
    assert decide(Asking(going(1)), [judged(0.1)]) == going(1)
    with pytest.raises(ConfigurationError, match="'own' decided 'no'"):
        decide(Asking("no"), [judged(0.1)], question="q")


def test_a_later_failure_may_be_limited_to_a_later_tier() -> None:
    assert decide(Limiting(going(2)), [judged(0.1), FAILED]) == going(2)
    with pytest.raises(ConfigurationError, match="'own' decided 'no'"):
        decide(Limiting("no"), [FAILED])
    with pytest.raises(ValueError, match=r"^a policy decides about at least one verification; the history is empty$"):
        decide(Threshold(0.5), [])
