"""Every policy's whole decision, also where there is no confidence, and the same decisions for columns."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math

import numpy as np
import pytest
from example_policies import BEST, UTILITY
from verifications import FAILED, column, judged

from automix_graph.policies import (
    ABSTAIN,
    AcceptCorrect,
    Always,
    Capped,
    DoubleThreshold,
    Policy,
    RandomMix,
    Threshold,
    decide,
)
from automix_graph.records import Decision, Verification


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
    ],
)
def test_a_decision_names_its_policy_and_its_reason(
    policy: Policy, found: Verification, accept: bool, reason: str
) -> None:
    decision = policy.decide([judged(0.99), found] if not isinstance(policy, Always) else [found])
    assert decision == Decision(accept=accept, policy=policy.name, reason=reason)


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


def test_giving_up_names_the_policy() -> None:
    policy = dataclasses.replace(UTILITY, best=BEST, abstain_below=0.35)
    reason = "confidence 0.300: best quality expected 0.300 is below 0.35"
    assert policy.decide([judged(0.3)]) == Decision(accept=False, policy=policy.name, reason=reason, abstain=True)
