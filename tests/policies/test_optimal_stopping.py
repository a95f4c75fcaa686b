"""Optimal stopping against brute force over decision tables, and worked out by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from example_policies import HALVES
from hypothesis import given, settings
from hypothesis import strategies as st
from table_problems import Known, confidence_in, own_table, problems, states
from verifications import column, judged

from automix_graph.policies import ABSTAIN, OptimalStopping, StepCurve, UtilityPolicy, decide, follow


def value_of(rules: dict[Known, int], policy: OptimalStopping) -> float:
    """Return the mean of quality - lam * cost under some decision table, by walking through every cell."""
    judged_tiers, total = len(policy.bins), 0.0
    for position, cell in enumerate(itertools.product(range(2), repeat=judged_tiers)):
        tier, known, worth = 0, (cell[0],), 0.0
        while tier < judged_tiers:
            move = rules[known]
            if move in (tier, ABSTAIN):
                break
            worth -= policy.lam * policy.costs[move]
            seen = (cell[move],) if move < judged_tiers else ()
            known = (*known, *(None,) * (move - tier - 1), *seen)
            tier = move
        gave_up = tier < judged_tiers and rules[known] == ABSTAIN
        worth += policy.abstain_below if gave_up and policy.abstain_below else policy.quality[tier][position]
        total += policy.mass[position] * worth
    return total


def expected(policy: OptimalStopping, known: Known, tier: int) -> float:
    cells = list(itertools.product(range(2), repeat=len(policy.bins)))
    fits = [k for k, c in enumerate(cells) if all(b is None or c[i] == b for i, b in enumerate(known))]
    return sum(policy.mass[k] * policy.quality[tier][k] for k in fits) / sum(policy.mass[k] for k in fits)


def allowed(policy: OptimalStopping, known: Known) -> list[int]:
    tier, last = len(known) - 1, len(policy.bins)
    options = list(range(tier, last + 1))
    floor = policy.abstain_below
    if floor is not None and max(expected(policy, known, later) for later in options) < floor:
        options.append(ABSTAIN)
    return options


def all_tables(policy: OptimalStopping) -> Iterator[dict[Known, int]]:
    known = states(len(policy.bins))
    for moves in itertools.product(*(allowed(policy, state) for state in known)):
        yield dict(zip(known, moves, strict=True))


@settings(max_examples=60, deadline=None)
@given(policy=st.one_of(problems(1), problems(2)))
def test_no_decision_table_is_better(policy: OptimalStopping) -> None:
    # Two tiers have 2 information sets, three have 2 + 4: all tables are tried, those that skip included.
    best = max(value_of(rules, policy) for rules in all_tables(policy))
    assert value_of(own_table(policy), policy) == pytest.approx(best, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(policy=problems(3), data=st.data())
def test_no_single_decision_of_four_tiers_can_be_bettered(policy: OptimalStopping, data: st.DataObject) -> None:
    # 18 information sets have too many tables; with perfect recall, one that no change anywhere betters is optimal.
    rules = own_table(policy)
    worth = value_of(rules, policy)
    for known in rules:
        for move in allowed(policy, known):
            assert value_of({**rules, known: move}, policy) <= worth + 1e-9
    other = {known: data.draw(st.sampled_from(allowed(policy, known))) for known in rules}
    assert value_of(other, policy) <= worth + 1e-9


@given(policy=problems(1))
def test_two_tiers_are_the_utility_policy(policy: OptimalStopping) -> None:
    small, large = policy.quality
    utility = UtilityPolicy(
        gain=StepCurve(bins=HALVES, values=tuple(b - a for a, b in zip(small, large, strict=True))),
        lam=policy.lam,
        cost=policy.costs[1],
        best=StepCurve(bins=HALVES, values=tuple(max(pair) for pair in zip(small, large, strict=True))),
        abstain_below=policy.abstain_below,
    )
    for bin_ in (0, 1):
        net = large[bin_] - small[bin_] - policy.lam * policy.costs[1]
        if abs(net) < 1e-9:
            continue  # on a tie the last bit of two different sums would decide
        ours, theirs = (decide(each, [judged(confidence_in(bin_))]) for each in (policy, utility))
        assert (ours.accept, ours.abstain) == (theirs.accept, theirs.abstain)


def test_a_tier_is_skipped_where_it_is_not_worth_asking() -> None:
    # By hand, with lam = 0.01. Bin 0 of tier 0: keep 0.1; tier 1 answers 0.2 of them and its confidence tells
    # nothing, so tier 2 is worth 0.9 - 0.2 = 0.7 now, and less by 0.05 after tier 1. Bin 1: keep 0.8 > 0.95 - 0.2.
    policy = OptimalStopping(
        bins=(HALVES, HALVES),
        mass=(0.25, 0.25, 0.25, 0.25),
        quality=((0.1, 0.1, 0.8, 0.8), (0.2, 0.2, 0.8, 0.8), (0.9, 0.9, 0.95, 0.95)),
        costs=(1, 5, 20),
        lam=0.01,
    )
    assert policy.table == ([2, 0], [[2, 2], [1, 1], [2, 2]])
    decision = decide(policy, [judged(0.25)])
    assert (decision.accept, decision.next_tier) == (False, 2)
    assert decision.reason == "confidence in [0, 0.5): keeping is worth 0.100, tier 1 0.650, tier 2 0.700"
    assert decide(policy, [judged(0.75)]).accept
    assert decide(policy, [judged(0.25), judged(0.75)]).next_tier is None
    paths = follow(policy, [column([0.25, 0.75]), column([0.75, 0.75])])
    assert paths.asked.tolist() == [[True, False, True], [True, False, False]]
    assert paths.end.tolist() == [2, 0]
