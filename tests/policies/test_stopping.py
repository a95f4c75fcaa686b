"""Table policies against brute force, and against Bayes' rule worked out state by state."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verifications import column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    ABSTAIN,
    SKIPPED,
    Bins,
    OptimalStopping,
    PomdpPolicy,
    StepCurve,
    TablePolicy,
    UtilityPolicy,
    decide,
    follow,
)
from automix_graph.records import Verdict, Verification

HALVES = Bins((0.5,))
Cell = tuple[int, ...]
Known = tuple[int | None, ...]
"""The bins so far, None for a tier that was not asked."""


def confidence_in(bin_: int) -> float:
    return (0.25, 0.75)[bin_]


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


def states(judged_tiers: int) -> list[Known]:
    found: list[Known] = []
    for tier in range(judged_tiers):
        middle: list[Sequence[int | None]] = [(0, 1, None)] * (tier - 1)
        found += itertools.product((0, 1), *middle, *([(0, 1)] if tier else []))
    return found


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


def own_table(policy: TablePolicy) -> dict[Known, int]:
    rules = {}
    for known in states(len(policy.bins)):
        history: list[Verification] = [SKIPPED if b is None else judged(confidence_in(b)) for b in known]
        decision = decide(policy, history)
        tier = len(known) - 1
        following = tier + 1 if decision.next_tier is None else decision.next_tier
        rules[known] = ABSTAIN if decision.abstain else tier if decision.accept else following
    return rules


@st.composite
def problems(draw: st.DrawFn, judged_tiers: int) -> OptimalStopping:
    cells = 2**judged_tiers
    hundredths = st.integers(0, 100).map(lambda value: value / 100)
    weights = draw(st.lists(st.integers(1, 9), min_size=cells, max_size=cells))
    quality = [tuple(draw(st.lists(hundredths, min_size=cells, max_size=cells))) for _ in range(judged_tiers + 1)]
    costs = draw(st.lists(st.integers(0, 20), min_size=judged_tiers + 1, max_size=judged_tiers + 1))
    return OptimalStopping(
        bins=(HALVES,) * judged_tiers,
        mass=tuple(weight / sum(weights) for weight in weights),
        quality=tuple(quality),
        costs=tuple(costs),
        lam=draw(st.sampled_from([0.0, 0.005, 0.01, 0.03])),
        abstain_below=draw(st.sampled_from([None, 0.3, 0.6])),
    )


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


chance = st.integers(1, 9)


@st.composite
def difficulties(draw: st.DrawFn, tiers: int) -> PomdpPolicy:
    def shares(count: int) -> tuple[float, ...]:
        weights = draw(st.lists(chance, min_size=count, max_size=count))
        return tuple(weight / sum(weights) for weight in weights)

    hundredths = st.integers(0, 100).map(lambda value: value / 100)
    return PomdpPolicy(
        bins=(HALVES,) * (tiers - 1),
        prior=shares(tiers + 1),
        observation=tuple(tuple(shares(2) for _ in range(tiers + 1)) for _ in range(tiers - 1)),
        quality=tuple(tuple(draw(st.lists(hundredths, min_size=tiers + 1, max_size=tiers + 1))) for _ in range(tiers)),
        costs=tuple(draw(st.lists(st.integers(0, 20), min_size=tiers, max_size=tiers))),
        lam=draw(st.sampled_from([0.0, 0.005, 0.01, 0.03])),
    )


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


@settings(max_examples=30, deadline=None)
@given(policy=st.one_of(problems(2), difficulties(3)), seed=st.integers(0, 99))
def test_columns_go_where_each_question_goes(policy: TablePolicy, seed: int) -> None:
    sure = np.random.default_rng(seed).random((2, 12))
    sure[:, :2] = [[0.3, np.nan], [np.nan, 0.6]]
    paths = follow(policy, [column(row) for row in sure])
    failed = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="down")
    for row, known in enumerate(sure.T):
        tier, history, asked = 0, [], {0}
        while tier < 2:
            history.append(failed if math.isnan(known[tier]) else judged(known[tier]))
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


STOPPING: dict[str, Any] = {
    "bins": (HALVES,),
    "mass": (0.5, 0.5),
    "quality": ((0.2, 0.9), (0.8, 0.9)),
    "costs": (1, 20),
    "lam": 0.01,
}
POMDP: dict[str, Any] = {
    "bins": (HALVES,),
    "prior": (0.5, 0.25, 0.25),
    "observation": (((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
    "quality": ((1, 0, 0), (1, 1, 0)),
    "costs": (1, 20),
    "lam": 0.01,
}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"bins": ()}, "bins for 0 tiers and costs of 2"),
        ({"costs": (1, 5, 20)}, "bins for 1 tiers and costs of 3"),
        ({"costs": (1, -20)}, "cost is -20"),
        ({"mass": (0.5, 0.6)}, "above 0 that sum to 1"),
        ({"mass": (0.0, 1.0)}, "above 0 that sum to 1"),
        ({"mass": (1.0,)}, "use 2 probabilities"),
        ({"quality": ((0.2, 0.9),)}, "qualities of 1 tiers"),
        ({"quality": ((0.2, 0.9), (0.8, 1.1))}, r"quality of tier 1 is \[0.8, 1.1\]; use 2 numbers in \[0, 1\]"),
        ({"bins": (Bins.equal(450),) * 2, "costs": (1, 2, 3)}, "make 202500 combinations"),
    ],
)
def test_a_stopping_policy_checks_its_numbers(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        OptimalStopping(**{**STOPPING, **wrong})


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"prior": (0.5, 0.5)}, "prior is .*use 3 probabilities"),
        ({"observation": ()}, r"observation has \[\] states by tier; give 3 for each of the first 1"),
        ({"observation": (((0.2, 0.8), (0.6, 0.4)),)}, r"observation has \[2\]"),
        ({"observation": (((0.2, 0.8), (0.6, 0.4), (1.0, 0.0)),)}, "observation of tier 0"),
        ({"quality": ((1, 0, 0),)}, "quality is given for 1 of 2 tiers"),
        ({"quality": ((1, 0), (1, 1, 0))}, "quality of tier 0"),
        ({"lam": -1}, "lam is -1"),
    ],
)
def test_a_pomdp_checks_its_numbers(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        PomdpPolicy(**{**POMDP, **wrong})


@pytest.mark.parametrize("policy", [OptimalStopping(**STOPPING), PomdpPolicy(**POMDP)])
def test_a_table_is_for_its_number_of_tiers(policy: TablePolicy) -> None:
    with pytest.raises(ConfigurationError, match=r"for 2 tiers.*2 verifications"):
        policy.decide([judged(0.2), judged(0.2)])
    with pytest.raises(ConfigurationError, match="for 2 tiers, and there are 3"):
        follow(policy, [column([0.2]), column([0.2])])
    assert hash(policy) == hash(type(policy)(**(STOPPING if isinstance(policy, OptimalStopping) else POMDP)))
