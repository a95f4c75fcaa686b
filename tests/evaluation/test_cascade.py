import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from one_by_one import OneByOne
from tables_of_outcomes import failing_verifications, judged, three_tiers, two_tiers, verification

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Outcomes, Tier, replay, run_cascade
from automix_graph.policies import AcceptCorrect, Capped, ColumnPolicy, Judged, Policy, Threshold, decide
from automix_graph.records import Decision, Verdict, Verification

THRESHOLDS = st.sampled_from([0.0, 0.3, 0.5, 1.0])
POLICIES = st.one_of(st.just(AcceptCorrect()), THRESHOLDS.map(Threshold))


@dataclass(frozen=True)
class Rising:
    """Keep an answer if its confidence is above that of the tier before."""

    name: str = "rising"

    def decide(self, history: Sequence[Verification]) -> Decision:
        sure = [found.confidence or 0.0 for found in history]
        return Decision(accept=len(sure) > 1 and sure[-1] > sure[-2], policy=self.name, reason="")


@dataclass(frozen=True)
class Reckless:
    """Keep everything."""

    name: str = "reckless"
    keeps: str = "everything"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=True, policy=self.name, reason="")

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        return np.ones(history[-1].correct.size, dtype=np.bool_)


def walked(outcomes: Outcomes, policy: Policy, question: int) -> tuple[int, float, float]:
    """One question, step by step: its route, quality and cost."""
    paid = 0.0
    history = []
    for position, tier in enumerate(outcomes.tiers):
        paid += tier.cost[question]
        if tier.confidence is None:
            return position, tier.quality[question], paid
        paid += tier.verify_cost[question]
        found = None if np.isnan(tier.confidence[question]) else float(tier.confidence[question])
        history.append(verification(found))
        if decide(policy, history).accept:
            return position, tier.quality[question], paid
    raise AssertionError("the last tier keeps every question")


@given(st.one_of(three_tiers(), failing_verifications()), st.one_of(POLICIES, st.just(Rising()), st.just(Reckless())))
def test_every_question_goes_up_until_an_answer_is_kept(outcomes: Outcomes, policy: Policy) -> None:
    found = replay(outcomes, policy)
    for question in range(outcomes.n):
        route, quality, cost = walked(outcomes, policy, question)
        assert (found.route[question], found.quality[question]) == (route, quality)
        assert found.cost[question] == pytest.approx(cost)
    assert found.escalated == pytest.approx(np.mean([walked(outcomes, policy, q)[0] > 0 for q in range(outcomes.n)]))


@given(st.one_of(three_tiers(), failing_verifications()), POLICIES)
def test_all_at_once_is_one_by_one(outcomes: Outcomes, policy: Policy) -> None:
    assert isinstance(policy, ColumnPolicy)
    assert not isinstance(OneByOne(policy), ColumnPolicy)
    at_once, one_by_one = replay(outcomes, policy), replay(outcomes, OneByOne(policy))
    assert at_once.route.tolist() == one_by_one.route.tolist()
    assert at_once.cost.tolist() == one_by_one.cost.tolist()


@given(st.one_of(three_tiers(), failing_verifications()))
def test_a_higher_threshold_never_costs_less(outcomes: Outcomes) -> None:
    costs = [replay(outcomes, Threshold(minimum)).cost for minimum in (0.0, 0.3, 0.5, 0.8, 1.0)]
    for lower, higher in itertools.pairwise(costs):
        assert (higher >= lower - 1e-12).all()


@given(three_tiers(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_the_questions_decides_nothing(outcomes: Outcomes, policy: Policy, random: object) -> None:
    rows = np.array(sorted(range(outcomes.n), key=lambda _: random.random()), dtype=np.intp)  # type: ignore[attr-defined]
    shuffled, found = replay(outcomes.take(rows), policy), replay(outcomes, policy)
    assert shuffled.route.tolist() == found.route[rows].tolist()
    assert shuffled.cost.tolist() == found.cost[rows].tolist() == found.take(rows).cost.tolist()


def test_a_verifier_with_a_threshold_of_its_own_is_followed() -> None:
    outcomes = judged([(1, 1, 0.9), (1, 1, 0.6), (1, 1, 0.2)], above=0.8)
    assert replay(outcomes, AcceptCorrect()).route.tolist() == [0, 1, 1]
    assert replay(outcomes, Threshold(0.5)).route.tolist() == [0, 0, 1]


@pytest.mark.parametrize("policy", [AcceptCorrect(), Threshold(0.0), Reckless(), OneByOne(Reckless())])
def test_no_policy_keeps_what_could_not_be_judged(policy: Policy) -> None:
    assert replay(judged([(1, 1, None), (1, 1, 0.9)]), policy).route.tolist() == [1, 0]


def test_other_policies_see_the_recorded_verifications() -> None:
    seen: list[tuple[Verification, ...]] = []

    class Looking:
        name = "looking"

        def decide(self, history: Sequence[Verification]) -> Decision:
            seen.append(tuple(history))
            return Decision(accept=False, policy=self.name, reason="")

    outcomes = judged([(1, 1, 0.9), (0, 1, None), (0, 1, 0.2)])
    assert replay(outcomes, Looking()).escalated == 1.0
    assert seen == [(verification(0.9),), (verification(0.2),)]
    seen.clear()
    replay(two_tiers([(1, 1, 0.9)]), Looking())
    assert seen == [(Verification(method="table", verdict=Verdict.CORRECT, confidence=0.9),)]


def test_a_policy_is_not_asked_about_questions_that_ended_before() -> None:
    histories: list[list[float | None]] = []

    class FirstOnly:
        name = "first only"

        def decide(self, history: Sequence[Verification]) -> Decision:
            histories.append([found.confidence for found in history])
            return Decision(accept=history[0].confidence == 0.9, policy=self.name, reason="")

    tiers = (
        Tier(name="a", quality=[1, 0], cost=1, confidence=[0.9, 0.1]),
        Tier(name="b", quality=[1, 0], cost=4, confidence=[0.4, 0.3]),
        Tier(name="c", quality=[1, 1], cost=20),
    )
    assert replay(Outcomes(tiers=tiers), FirstOnly()).route.tolist() == [0, 2]
    assert histories == [[0.9], [0.1], [0.1, 0.3]]


def test_what_decides_nothing_is_refused() -> None:
    class Silent:
        name = "silent"

        def decide(self, history: Sequence[Verification]) -> Decision:
            return None  # type: ignore[return-value]

    @dataclass(frozen=True)
    class TooFew(Reckless):
        def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
            return np.array([True])

    outcomes = two_tiers([(1, 1, 0.9), (1, 1, 0.1)])
    with pytest.raises(ConfigurationError, match="must return a Decision"):
        replay(outcomes, Silent())
    with pytest.raises(ConfigurationError, match=r"policy 'reckless' decided in shape \(1,\); accepts\(history\)"):
        replay(outcomes, TooFew())
    with pytest.raises(ConfigurationError, match=r"policy 'reckless' decided in shape \(1,\)"):
        replay(outcomes, Capped(TooFew(), 1))


@pytest.mark.parametrize("shape", [(), (1,), (1, 2), (3,)])
def test_moves_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    class Shaped:
        name, keeps = "shaped", "nothing"

        def decide(self, history: Sequence[Verification]) -> Decision:
            raise AssertionError("questions are decided about at once")

        def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
            return np.ones(shape, dtype=np.intp)

    with pytest.raises(ConfigurationError, match=r"moves\(history, tiers\) must return shape \(2,\)"):
        replay(two_tiers([(1, 1, 0.9), (1, 1, 0.1)]), Shaped())


@given(three_tiers())
def test_a_policy_is_asked_once_a_tier(outcomes: Outcomes) -> None:
    lengths: list[int] = []

    @dataclass(frozen=True)
    class Counting(Reckless):
        def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
            lengths.append(len(history))
            return super().accepts(history)

    replay(outcomes, Counting())
    assert lengths == [1, 2]


@given(st.one_of(three_tiers(), failing_verifications()), THRESHOLDS)
def test_what_is_kept_by_column_is_what_a_policy_keeps(outcomes: Outcomes, minimum: float) -> None:
    kept = [np.asarray(tier.confidence) >= minimum for tier in outcomes.tiers[:-1]]
    found, replayed = run_cascade(outcomes, kept), replay(outcomes, Threshold(minimum))
    assert found.route.tolist() == replayed.route.tolist()
    assert found.quality.tolist() == replayed.quality.tolist()
    assert found.cost.tolist() == replayed.cost.tolist()
    assert found.beyond_first.tolist() == (found.route > 0).tolist()


def test_kept_columns_beyond_the_route_do_not_count() -> None:
    tiers = (
        Tier(name="a", quality=[1, 0, 0], cost=1, confidence=[0.5] * 3, verify_cost=0.25),
        Tier(name="b", quality=[0, 1, 0], cost=4, confidence=[0.5] * 3, verify_cost=0.5),
        Tier(name="c", quality=[0, 0, 1], cost=20),
    )
    found = run_cascade(Outcomes(tiers=tiers), [np.array([True, False, False]), np.array([False, True, False])])
    assert found.route.tolist() == [0, 1, 2]
    assert found.cost.tolist() == [1.25, 5.75, 25.75]
    assert found.quality.tolist() == [1.0, 1.0, 1.0]


@given(three_tiers())
def test_kept_needs_a_column_for_each_verified_tier(outcomes: Outcomes) -> None:
    column = np.ones(outcomes.n, dtype=np.bool_)
    with pytest.raises(ValueError, match="one a verified tier"):
        run_cascade(outcomes, [column])
    with pytest.raises(ValueError, match="one a verified tier"):
        run_cascade(outcomes, [column, np.append(column, True)])
