"""Policies that look at the last confidence, or at none."""

import dataclasses

import numpy as np
import pytest
from example_policies import BEST, GAIN
from verifications import FAILED, column, judged

from automix_graph.errors import ConfigurationError
from automix_graph.policies import (
    ABSTAIN,
    Always,
    ColumnPolicy,
    DoubleThreshold,
    MovingPolicy,
    RandomMix,
    UtilityPolicy,
    decide,
    follow,
)

SURE = [0.0, 0.2, 0.25, 0.4999, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("confidence", "accept"), [(0.0, True), (0.2499, True), (0.25, False), (0.7499, False), (0.75, True), (1.0, True)]
)
def test_a_band_escalates_what_is_inside(confidence: float, accept: bool) -> None:
    assert decide(DoubleThreshold(0.25, 0.75), [judged(1.0), judged(confidence)]).accept is accept


def test_an_empty_band_keeps_everything() -> None:
    assert DoubleThreshold(0.5, 0.5).decide([judged(0.5)]).accept


@pytest.mark.parametrize("ends", [(0.6, 0.4), (-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5), (0.5, float("nan"))])
def test_a_band_lies_in_the_scale(ends: tuple[float, float]) -> None:
    with pytest.raises(ConfigurationError, match="the lower one first"):
        DoubleThreshold(*ends)


@pytest.mark.parametrize(
    ("lam", "kept"),
    # lam * cost: 0.2 and 0.04; a gain of exactly as much is not worth paying for.
    [(0.01, [True, True, False, False, True, True, True]), (0.002, [False, False, False, False, False, True, True])],
)
def test_utility_pays_where_the_gain_is_worth_it(lam: float, kept: list[bool]) -> None:
    policy = UtilityPolicy(gain=GAIN, lam=lam, cost=20)
    assert [policy.decide([judged(sure)]).accept for sure in SURE] == kept


def test_utility_gives_up_where_nobody_is_expected_to_answer() -> None:
    policy = UtilityPolicy(gain=GAIN, lam=0.01, cost=20, best=BEST, abstain_below=0.35)
    decision = decide(policy, [judged(0.3)])
    assert (decision.accept, decision.abstain) == (False, True)
    assert decision.reason == "confidence 0.300: best quality expected 0.300 is below 0.35"
    assert decide(policy, [judged(0.5)]).accept
    assert not decide(dataclasses.replace(policy, abstain_below=0.3), [judged(0.3)]).abstain


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"lam": -0.1}, "lam is -0.1"),
        ({"lam": float("inf")}, "lam is inf"),
        ({"cost": float("nan")}, "cost is nan"),
        ({"cost": -1}, "cost is -1"),
        ({"abstain_below": 1.5, "best": BEST}, "abstain_below is 1.5"),
        ({"abstain_below": 0.5}, "give best as well"),
    ],
)
def test_utility_checks_its_numbers(wrong: dict[str, float], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        UtilityPolicy(**{"gain": GAIN, "lam": 0.01, "cost": 20, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "policy",
    [
        DoubleThreshold(0.25, 0.75),
        UtilityPolicy(gain=GAIN, lam=0.01, cost=20),
        UtilityPolicy(gain=GAIN, lam=0.01, cost=20, best=BEST, abstain_below=0.35),
        Always("small"),
        Always("large"),
        Always(1),
    ],
)
def test_many_questions_are_decided_as_each(policy: ColumnPolicy) -> None:
    assert isinstance(policy, ColumnPolicy)
    decisions = [decide(policy, [judged(sure)]) for sure in SURE]
    assert policy.accepts([column(SURE)]).tolist() == [decision.accept for decision in decisions]
    if isinstance(policy, MovingPolicy):
        expected = [ABSTAIN if d.abstain else 0 if d.accept else 1 for d in decisions]
        assert policy.moves([column(SURE)], 2).tolist() == expected


def test_policies_say_what_they_keep() -> None:
    utility = UtilityPolicy(gain=GAIN, lam=0.01, cost=20)
    assert utility.keeps == "confidence in [0, 0.25) or [0.5, 1]"
    assert (utility.name, DoubleThreshold(0.25, 0.75).name) == ("utility(gain > 0.2)", "double-threshold(0.25, 0.75)")
    assert DoubleThreshold(0.25, 0.75).keeps == "confidence < 0.25 or >= 0.75"
    assert [Always(tier).keeps for tier in ("small", "large", 0, 2)] == [
        "everything",
        "nothing",
        "everything",
        "everything from tier 2 on",
    ]


def test_always_goes_to_its_tier_and_stays() -> None:
    decisions = [Always(2).decide([judged(0.9)] * asked) for asked in (1, 2, 3, 4)]
    assert [decision.next_tier for decision in decisions] == [2, 2, None, None]
    assert [decision.accept for decision in decisions] == [False, False, True, True]
    assert Always("large").decide([judged(0.9)] * 5).next_tier == -1
    assert not decide(Always("small"), [FAILED]).accept


def test_always_needs_its_tier() -> None:
    with pytest.raises(ConfigurationError, match="asks for tier 3, and the last of 3 is 2"):
        follow(Always(3), [column([0.5]), column([0.5])])
    for wrong in ("medium", -1, True, 0.5):
        with pytest.raises(ConfigurationError, match="'small', 'large' or a position"):
            Always(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_a_random_mix_keeps_its_share_where_all_verifications_are_alike(share: float) -> None:
    n, policy = 4000, RandomMix(share, seed=3)
    four_errors = 4 * (share * (1 - share) / n) ** 0.5
    live = [not decide(policy, [judged(1.0)], question=f"question {k}").accept for k in range(n)]
    assert abs(np.mean(live) - share) <= four_errors
    assert abs(np.mean(~policy.accepts([column([1.0] * n)])) - share) <= four_errors


def test_a_random_mix_draws_the_same_lot_again_and_another_for_others() -> None:
    policy = RandomMix(0.5, seed=3)

    def lots(policy: RandomMix, *, tier: int = 1) -> list[bool]:
        return [decide(policy, [judged(1.0)] * tier, question=f"q{k}").accept for k in range(200)]

    first = lots(policy)
    assert lots(RandomMix(0.5, seed=3)) == first
    for other in (lots(RandomMix(0.5, seed=4)), lots(policy, tier=2)):
        assert 60 < sum(a == b for a, b in zip(first, other, strict=True)) < 140


def test_a_random_mix_draws_other_lots_for_rows_of_another_seed_or_tier() -> None:
    ones = column([1.0] * 400)
    first = RandomMix(0.5, seed=3).accepts([ones])
    assert np.array_equal(RandomMix(0.5, seed=3).accepts([ones]), first)
    for other in (RandomMix(0.5, seed=4).accepts([ones]), RandomMix(0.5, seed=3).accepts([ones, ones])):
        assert 120 < np.sum(other == first) < 280


def test_a_random_mix_without_questions_heeds_all_numbers_of_a_verification() -> None:
    policy = RandomMix(0.3, seed=1)
    found = [dataclasses.replace(judged(1.0), signals={"margin": k / 4000}) for k in range(4000)]
    assert abs(np.mean([not decide(policy, [each]).accept for each in found]) - 0.3) < 0.03
    assert decide(policy, [found[0]]) == decide(policy, [found[0]])


@pytest.mark.parametrize(("share", "seed"), [(-0.1, 0), (1.1, 0), (float("nan"), 0), (0.5, -1)])
def test_a_random_mix_checks_its_numbers(share: float, seed: int) -> None:
    with pytest.raises(ConfigurationError, match=r"share is|seed is"):
        RandomMix(share, seed)
    assert [RandomMix(share, seed=0).share for share in (0.0, 1.0)] == [0.0, 1.0]
