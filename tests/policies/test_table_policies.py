"""What every policy that is solved into a table has: its columns, its reasons, its number of tiers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from example_policies import POMDP, STOPPING, STOPPING_OF_THREE
from hypothesis import given, settings
from hypothesis import strategies as st
from table_problems import difficulties, problems
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import ABSTAIN, SKIPPED, TablePolicy, decide, follow
from automix_graph.records import Decision


@settings(max_examples=30, deadline=None)
@given(policy=st.one_of(problems(2), difficulties(3)), seed=st.integers(0, 99))
def test_columns_go_where_each_question_goes(policy: TablePolicy, seed: int) -> None:
    sure = np.random.default_rng(seed).random((2, 12))
    sure[:, :2] = [[0.3, np.nan], [np.nan, 0.6]]
    paths = follow(policy, [column(row) for row in sure])
    for row, known in enumerate(sure.T):
        tier, history, asked = 0, [], {0}
        while tier < 2:
            history.append(FAILED if math.isnan(known[tier]) else judged(known[tier]))
            decision = decide(policy, history)
            if decision.accept or decision.abstain:
                break
            goal = tier + 1 if decision.next_tier is None else decision.next_tier
            history += [SKIPPED] * (goal - tier - 1)
            tier = goal
            asked.add(tier)
        gave_up = tier < 2 and decision.abstain
        assert paths.end[row] == (ABSTAIN if gave_up else tier)
        assert set(np.flatnonzero(paths.asked[row]).tolist()) == asked


@pytest.mark.parametrize("policy", [STOPPING, POMDP])
def test_a_table_is_for_its_number_of_tiers(policy: TablePolicy) -> None:
    with pytest.raises(ConfigurationError, match=r"for 2 tiers.*2 verifications"):
        policy.decide([judged(0.2), judged(0.2)])
    with pytest.raises(ConfigurationError, match="for 2 tiers, and there are 3"):
        follow(policy, [column([0.2]), column([0.2])])
    assert hash(policy) == hash(dataclasses.replace(policy))


def test_a_table_keeps_at_the_position_of_the_draft() -> None:
    for history in ([column([0.1, 0.9])], [column([0.1, 0.9]), column([0.9, 0.1])]):
        moves = STOPPING_OF_THREE.moves(history, 3).tolist()
        assert STOPPING_OF_THREE.accepts(history).tolist() == [move == len(history) - 1 for move in moves]
    # worked out by hand: a low first tier is worth 0.1, the second 0.45 - 0.05, and the last 0.55 - 0.2
    assert STOPPING_OF_THREE.decide([judged(0.25)]).next_tier is None
    assert STOPPING_OF_THREE.accepts([column([0.25, 0.75])]).tolist() == [False, True]
    assert STOPPING_OF_THREE.accepts([column([0.25, 0.25]), column([0.25, 0.75])]).tolist() == [True, True]


def test_a_table_says_what_it_saw_and_what_each_choice_is_worth() -> None:
    policy = dataclasses.replace(STOPPING_OF_THREE)  # solved anew
    skipped = policy.decide([judged(0.25), SKIPPED])
    worth = "keeping is worth -inf, tier 2 -inf"
    assert skipped == Decision(
        accept=False, policy=policy.name, reason=f"confidence in [0, 0.5), none: {worth}", next_tier=None
    )
    assert policy.moves([column([0.1, np.nan])], 3).tolist() == [1, 1]
    assert policy.moves([column([0.1, 0.1]), column([np.nan, np.nan])], 3).tolist() == [2, 2]
    seen = policy.decide([judged(0.25), judged(0.75)])
    assert seen.reason == "confidence in [0, 0.5), [0.5, 1]: keeping is worth 0.800, tier 2 0.700"
    floor = dataclasses.replace(policy, abstain_below=0.5)
    assert floor.decide([judged(0.25), judged(0.25)]) == Decision(
        accept=False,
        policy=floor.name,
        reason="confidence in [0, 0.5), [0, 0.5): keeping is worth 0.100, tier 2 0.000, giving up 0.500",
        abstain=True,
    )
