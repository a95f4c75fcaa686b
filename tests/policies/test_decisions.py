"""Every policy's whole decision, also where there is no confidence, and the same decisions for columns."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from verifications import FAILED, column, judged

from automix_graph.policies import (
    ABSTAIN,
    SKIPPED,
    AcceptCorrect,
    Always,
    Bins,
    Capped,
    ColumnPolicy,
    DoubleThreshold,
    Judged,
    OptimalStopping,
    PerTier,
    Policy,
    PomdpPolicy,
    RandomMix,
    StepCurve,
    Threshold,
    UtilityPolicy,
    decide,
    follow,
    load_policy,
    save_policy,
)
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.made_for import MadeFor, TierMade, VerifierMade
from automix_graph.policies.policy import MovingPolicy
from automix_graph.records import Decision, Verification

HALVES = Bins((0.5,))
GAIN = StepCurve(bins=Bins((0.25, 0.5, 0.75)), values=(0.05, 0.4, 0.2, -0.1))
BEST = StepCurve(bins=HALVES, values=(0.3, 0.8))
UTILITY = UtilityPolicy(gain=GAIN, lam=0.01, cost=20)
STOPPING = OptimalStopping(
    bins=(HALVES, HALVES),
    mass=(0.25, 0.25, 0.25, 0.25),
    quality=((0.1, 0.1, 0.9, 0.9), (0.1, 0.8, 0.1, 0.8), (0.2, 0.9, 0.9, 0.9)),
    costs=(1, 5, 20),
    lam=0.01,
)
POMDP = PomdpPolicy(
    bins=(HALVES,),
    prior=(0.5, 0.25, 0.25),
    observation=(((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
    quality=((1, 0, 0), (1, 1, 0)),
    costs=(1, 20),
    lam=0.01,
)


@pytest.mark.parametrize(
    ("policy", "found", "accept", "reason"),
    [
        (AcceptCorrect(), judged(1.0), True, "the verdict is CORRECT"),
        (AcceptCorrect(), FAILED, False, "the verdict is UNPARSED"),
        (AcceptCorrect(), judged(0.2), False, "the verdict is INCORRECT"),
        (Threshold(0.7), FAILED, False, "there is no confidence"),
        (Threshold(0.7), judged(0.7), True, "confidence 0.700 is at least 0.7"),
        (Threshold(0.7), judged(0.25), False, "confidence 0.250 is below 0.7"),
        (DoubleThreshold(0.25, 0.75), FAILED, False, "there is no confidence"),
        (DoubleThreshold(0.25, 0.75), judged(0.5), False, "confidence 0.500 is in [0.25, 0.75)"),
        (DoubleThreshold(0.25, 0.75), judged(1.0), True, "confidence 1.000 is outside [0.25, 0.75)"),
        (UTILITY, FAILED, False, "there is no confidence"),
        (UTILITY, judged(0.3), False, "confidence 0.300: expected gain 0.400 is above lam * cost = 0.200"),
        (UTILITY, judged(0.5), True, "confidence 0.500: expected gain 0.200 is not above lam * cost = 0.200"),
        (Always("small"), judged(0.3), True, "the draft is that of tier 0"),
        (RandomMix(0.0), judged(0.3), True, None),
        (RandomMix(1.0), judged(0.3), False, None),
    ],
)
def test_a_decision_names_its_policy_and_its_reason(
    policy: Policy, found: Verification, accept: bool, reason: str | None
) -> None:
    decision = policy.decide([judged(0.99), found] if not isinstance(policy, Always) else [found])
    assert decision == Decision(accept=accept, policy=policy.name, reason=reason or decision.reason)


def test_always_says_where_it_goes() -> None:
    going = "the draft is that of tier 0, and every question goes to the"
    assert [Always(tier).decide([judged(1.0)]) for tier in (2, "large")] == [
        Decision(accept=False, policy="always(2)", reason=f"{going} tier 2", next_tier=2),
        Decision(accept=False, policy="always(large)", reason=f"{going} last tier", next_tier=-1),
    ]
    assert Always("large").moves([column([0.5]), column([0.5])], 2).tolist() == [1]
    assert Always("small").moves([column([0.5])] * 3, 4).tolist() == [2]
    assert [policy.accepts([column([0.5])] * 2).tolist() for policy in (Always(1), Always(2))] == [[True], [False]]


def test_lots_are_compared_with_the_share_and_said() -> None:
    # A question's lot, as any program can work it out: 53 bits of BLAKE2b over [seed, tiers asked, question].
    text = "Which tower is the tallest?"
    digest = hashlib.blake2b(json.dumps([1, 1, text]).encode(), digest_size=8).digest()
    lot = (int.from_bytes(digest, "big") >> 11) / 2**53
    expected = [
        (0.25, False, "below the share of 0.25"),
        (lot, True, f"at least the share of {lot:g}"),
        (math.nextafter(lot, 1), False, f"below the share of {lot:g}"),
    ]
    for share, accept, said in expected:
        policy = RandomMix(share, seed=1)
        decision = Decision(accept=accept, policy=f"random-mix({share:g})", reason=f"drew 0.018, {said}")
        assert decide(policy, [judged(1.0)], question=text) == decision


def test_rows_are_kept_from_their_lot_on() -> None:
    lots = np.random.default_rng([3, 2]).random(4)
    for share, kept in ((lots[1], True), (np.nextafter(lots[1], 1), False)):
        assert RandomMix(float(share), seed=3).accepts([column([1.0] * 4)] * 2).tolist()[1] is kept


def test_a_lot_over_verifications_heeds_no_order_of_signals() -> None:
    one, other = ({"a": 0.25, "b": 0.5}, {"b": 0.5, "a": 0.25})
    policy = RandomMix(0.5, seed=1)
    drawn = [policy.decide([dataclasses.replace(judged(1.0), signals=signals)]).reason for signals in (one, other)]
    assert drawn[0] == drawn[1]


def test_without_a_judgement_a_decision_names_its_policy() -> None:
    expected = Decision(accept=False, policy="threshold(0.7)", reason="no judgement: down")
    assert decide(Threshold(0.7), [FAILED]) == expected
    given_up = "no judgement: down, but 1 of at most 1 tiers were asked"
    policy = Capped(Threshold(0.7), 1)
    assert decide(policy, [FAILED]) == Decision(accept=False, policy=policy.name, reason=given_up, abstain=True)


def test_where_nothing_is_known_columns_escalate() -> None:
    nothing = column([np.nan, 0.3, 0.5])
    best = dataclasses.replace(UTILITY, best=BEST, abstain_below=0.35)
    assert UTILITY.moves([nothing], 2).tolist() == [1, 1, 0]
    assert best.moves([nothing], 2).tolist() == [1, ABSTAIN, 0]
    assert dataclasses.replace(best, abstain_below=0.3).moves([nothing], 2).tolist() == [1, 1, 0]
    assert dataclasses.replace(best, abstain_below=None).moves([nothing], 2).tolist() == [1, 1, 0]
    assert best.accepts([nothing]).tolist() == [False, False, True]
    assert best.accepts([column([0.1] * 3), nothing]).tolist() == [False, False, True]


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
        Capped(STOPPING, 3),
        PerTier((STOPPING, STOPPING)),
    ):
        assert isinstance(policy, MovingPolicy)
        inner = Always("large") if "always" in policy.name else STOPPING
        assert follow(policy, columns).end.tolist() == follow(inner, columns).end.tolist()
        for history in (columns[:1], columns):
            assert policy.moves(history, 3).tolist() == inner.moves(history, 3).tolist()
        assert isinstance(policy, ColumnPolicy)
        assert policy.accepts(columns).tolist() == inner.accepts(columns).tolist()


def test_a_table_keeps_at_the_position_of_the_draft() -> None:
    for history in ([column([0.1, 0.9])], [column([0.1, 0.9]), column([0.9, 0.1])]):
        moves = STOPPING.moves(history, 3).tolist()
        assert STOPPING.accepts(history).tolist() == [move == len(history) - 1 for move in moves]
    # worked out by hand: a low first tier is worth 0.1, the second 0.45 - 0.05, and the last 0.55 - 0.2
    assert STOPPING.decide([judged(0.25)]).next_tier is None
    assert STOPPING.accepts([column([0.25, 0.75])]).tolist() == [False, True]
    assert STOPPING.accepts([column([0.25, 0.25]), column([0.25, 0.75])]).tolist() == [True, True]


def test_a_table_says_what_it_saw_and_what_each_choice_is_worth() -> None:
    policy = dataclasses.replace(STOPPING)  # solved anew
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


def test_numbers_of_any_sequence_become_tuples_of_floats() -> None:
    assert (Bins([0.5, 1]).edges, StepCurve(bins=Bins(), values=[1]).values) == ((0.5, 1.0), (1.0,))  # type: ignore[arg-type]
    assert PerTier([Threshold(0.5)]).policies == (Threshold(0.5),)  # type: ignore[arg-type]
    lists = json.loads(json.dumps({"mass": STOPPING.mass, "quality": STOPPING.quality}))
    assert dataclasses.replace(STOPPING, **lists) == STOPPING
    assert hash(dataclasses.replace(STOPPING, **lists)) == hash(STOPPING)
    lists = json.loads(json.dumps({name: getattr(POMDP, name) for name in ("prior", "observation", "quality")}))
    assert dataclasses.replace(POMDP, **lists) == POMDP
    assert hash(dataclasses.replace(POMDP, **lists)) == hash(POMDP)


def test_the_ends_of_what_is_allowed_are_allowed() -> None:
    assert DoubleThreshold(0.0, 1.0).decide([judged(1.0)]).accept
    for floor in (0.0, 1.0):
        assert dataclasses.replace(UTILITY, best=BEST, abstain_below=floor).abstain_below == floor
        assert dataclasses.replace(STOPPING, abstain_below=floor).abstain_below == floor
    with pytest.raises(ValueError, match=r"abstain_below is 1\.5"):
        dataclasses.replace(STOPPING, abstain_below=1.5)


@pytest.mark.parametrize(
    "policy",
    [Always(2), Always("large"), UTILITY, STOPPING, Capped(UTILITY, 2), PerTier((Threshold(0.5), UTILITY))],
)
def test_a_file_is_json_that_people_can_read(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    save_policy(policy, path)
    assert path.read_text() == json.dumps({"schema_version": 1, **policy_to_data(policy)}, indent=2) + "\n"
    assert load_policy(path) == policy
    assert policy_from_data(policy_to_data(policy)) == policy


def test_what_one_side_does_not_know_is_not_compared() -> None:
    def cascade(verifier: VerifierMade | None) -> MadeFor:
        return MadeFor(tiers=(TierMade(name="small", model="a", verifier=verifier),))

    short, votes = (VerifierMade(method=method) for method in ("short", "votes"))
    assert cascade(None).differences(cascade(short)) == cascade(short).differences(cascade(None)) == ()
    assert len(cascade(votes).differences(cascade(short))) == 1


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


def test_giving_up_names_the_policy() -> None:
    policy = dataclasses.replace(UTILITY, best=BEST, abstain_below=0.35)
    reason = "confidence 0.300: best quality expected 0.300 is below 0.35"
    assert policy.decide([judged(0.3)]) == Decision(accept=False, policy=policy.name, reason=reason, abstain=True)
