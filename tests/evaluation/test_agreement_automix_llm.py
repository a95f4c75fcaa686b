"""IBC and lift against automix-llm 1.0.3, the library of the AutoMix paper (arXiv 2310.12963), and where it is wrong.

It is right where the large model is better and something is escalated: there its figures are ours. Each of its defects
has a test below, next to what ours does with the same data. Its column names are partly hard-coded, hence `FRAME`.
"""

from collections.abc import Sequence
from typing import Any

import automix
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tables_of_outcomes import GRADES

from automix_graph.evaluation import (
    Cascade,
    Ends,
    Outcomes,
    Tier,
    Undefined,
    apgr,
    best_threshold,
    ece,
    escalation_curve,
    ibc,
    ibc_lift,
    run_cascade,
)
from automix_graph.policies import Threshold
from automix_graph.records import Verdict, Verification
from automix_graph.verdicts import parse_verdict
from automix_graph.verification.ballot import Counting

pytestmark = pytest.mark.integration

SMALL, LARGE, SURE = "llama13b_f1", "llama70b_f1", "p_ver_13b"
PRICES = [([1, 50], 1), ([1, 20], 0.15), ([2, 7], 0.5)]


def frame(seed: int, n: int = 160) -> pd.DataFrame:
    """Questions of three kinds, judged by eight votes that tell the kinds apart, with what the library asks for."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(["GOOD", "NEEDY", "HOPELESS"], size=n, p=[0.5, 0.3, 0.2])
    accept = pd.Series(kind).map({"GOOD": 0.85, "NEEDY": 0.4, "HOPELESS": 0.15}).to_numpy()
    small = np.where(kind == "GOOD", 0.8, 0.1) + 0.2 * generator.random(n)
    large = np.where(kind == "HOPELESS", 0.1, 0.8) + 0.2 * generator.random(n)
    answers = generator.choice(["unanswerable", "yes", "no"], size=n)
    votes = generator.binomial(8, accept) / 8
    return pd.DataFrame({SMALL: small, LARGE: large, SURE: votes, "category": kind, "llama13b_pred_ans": answers})


FRAME = frame(0)
WORSE = FRAME.assign(**{LARGE: FRAME[SMALL] * 0.7})


def outcomes_of(table: pd.DataFrame, costs: Sequence[float], verify: float) -> Outcomes:
    small = Tier(name="small", quality=table[SMALL], cost=costs[0], confidence=table[SURE], verify_cost=verify)
    return Outcomes(tiers=(small, Tier(name="large", quality=table[LARGE], cost=costs[1])))


def replayed(table: pd.DataFrame, escalated: Any, costs: Sequence[float], verify: float) -> tuple[Ends, Cascade]:
    """The same decisions in our cascade."""
    outcomes = outcomes_of(table, costs, verify)
    return Ends.of(outcomes), run_cascade(outcomes, [~np.asarray(escalated, dtype=np.bool_)])


def unanswerable_or(method: Any) -> Any:
    return automix.FixedAnswerRouting(method, ["unanswerable"])


METHODS = {
    "self-consistency": automix.SelfConsistency(8),
    "threshold": automix.Threshold(8),
    "two thresholds": automix.DoubleThreshold(8),
    "three thresholds": automix.TripleThreshold(8),
    "simple POMDP": automix.POMDPSimple(8),
    "simple POMDP with a prior": automix.POMDPSimple(8, init_belief=True),
    "greedy POMDP": automix.GreedyPOMDP(8),
    "POMDP": automix.POMDP(8),
    "union": automix.AutomixUnion(automix.SelfConsistency(8), automix.DoubleThreshold(8)),
    "fixed answers": unanswerable_or(automix.Threshold(8)),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("costs", "verify"), PRICES)
def test_the_chosen_rule_has_the_same_ibc_and_lift(name: str, costs: list[int], verify: float) -> None:
    learned = automix.Automix(METHODS[name], costs=costs, verifier_cost=verify)
    learned.train(FRAME)
    for table in (FRAME, frame(1)):
        lift, slope, quality, cost, escalated = learned.evaluate(table, return_decisions=True)
        assert 0 < escalated.sum() < len(table)
        ends, cascade = replayed(table, escalated, costs, verify)
        assert (cascade.quality.mean(), cascade.cost.mean()) == (pytest.approx(quality), pytest.approx(cost))
        assert ibc(ends, cascade) == pytest.approx(slope)
        assert ibc_lift(ends, cascade) == pytest.approx(lift)
        assert ends.slope == pytest.approx(learned.get_slm_llm_slope_perf(table)[0])


@pytest.mark.parametrize("name", METHODS)
def test_the_rule_of_greatest_lift_is_the_same(name: str) -> None:
    costs, verify = [1, 50], 1
    learned = automix.Automix(METHODS[name], costs=costs, verifier_cost=verify)
    learned.train(FRAME)
    lifts = [
        ibc_lift(*replayed(FRAME, learned.method.run(FRAME, rule, SURE), costs, verify))
        for rule in learned.method.generate_points(FRAME, SURE)
    ]
    assert learned.evaluate(FRAME)[0] == pytest.approx(max(lift for lift in lifts if not isinstance(lift, Undefined)))


@given(
    st.lists(st.tuples(GRADES, GRADES, st.booleans()), min_size=1, max_size=12),
    st.sampled_from([*PRICES, ([0, 3], 0), ([5, 5.5], 2)]),
)
def test_any_decisions_have_the_same_ibc_and_lift(
    rows: list[tuple[float, float, bool]], prices: tuple[list[float], float]
) -> None:
    costs, verify = prices
    small, large, escalated = np.array(rows).T
    assume(large.mean() > small.mean() and escalated.any())
    table = pd.DataFrame({SMALL: small, LARGE: large, SURE: 0.5})
    library = automix.Automix(None, costs=costs, verifier_cost=verify)
    quality, cost = library.compute_performance_cost(table, pd.Series(escalated == 1))
    base, low, _ = library.get_slm_llm_slope_perf(table)
    ends, cascade = replayed(table, escalated == 1, costs, verify)
    slope = (quality - low) / (cost - costs[0])
    assert ibc(ends, cascade) == pytest.approx(slope)
    assert ibc_lift(ends, cascade) == pytest.approx((slope - base) / base)


# From here on: its defects, and what ours does with the same data.


def test_it_runs_the_winning_parameter_as_code() -> None:
    class Named(automix.Threshold):
        def generate_points(self, data: Any = None, verifier_column: str = SURE) -> list[str]:
            return ["1/0"]

        def run(self, data: Any, threshold: Any = None, verifier_column: str = SURE) -> Any:
            return data[verifier_column] <= 0.5

    with pytest.raises(ZeroDivisionError):
        automix.Automix(Named(8)).train(FRAME)
    # Ours are numbers from start to end.
    outcomes = outcomes_of(FRAME, [1, 50], 1)
    best = best_threshold(escalation_curve(outcomes), Ends.of(outcomes))
    assert isinstance(best, float)
    assert best in set(FRAME[SURE])


def test_it_puts_confidences_into_the_bin_below_theirs() -> None:
    def misplaced(bins: int) -> list[int]:
        method = automix.POMDPSimple(bins)
        return [k for k in range(bins + 1) if method.get_neearest_prob_idx(k / bins) != k]

    # The floor of a quotient of floats; right for powers of two, whose parts are exact, and by luck for three.
    assert [bins for bins in range(2, 33) if not misplaced(bins)] == [2, 3, 4, 8, 16, 32]
    # With ten bins, 0.5, 0.9 and 1.0 get the actions that were learned for 0.4, 0.8 and 0.9.
    assert (misplaced(5), misplaced(10), misplaced(12)) == ([5], [5, 9, 10], [5, 7, 10])
    assert len(misplaced(24)) == 8
    # Ours: k/bins opens bin k. A wrong answer there and a right one at the middle of the bin are off together, by
    # |1/2 - their mean|; in two bins they would be off one by one.
    for bins in (5, 10, 12, 24):
        for k in range(bins):
            pair = [k / bins, (k + 0.5) / bins]
            assert ece(pair, [False, True], bins=bins) == pytest.approx(abs(0.5 - np.mean(pair)))


def test_its_intervals_miss_their_own_lower_end() -> None:
    # 3 · (1/10) is above 0.3, so that what was learned from 0.3 on leaves out 0.3.
    method = automix.DoubleThreshold(10)
    assert not method.run(pd.DataFrame({SURE: [0.3]}), (3 * method.gap, 0.9)).any()
    # Ours takes thresholds from the confidences themselves.
    table = pd.DataFrame({SMALL: [0.0, 1.0], LARGE: [1.0, 1.0], SURE: [0.1, 3 / 10]})
    outcomes = outcomes_of(table, [1, 50], 1)
    assert escalation_curve(outcomes).thresholds.tolist() == [0.1, 0.3]
    assert best_threshold(escalation_curve(outcomes), Ends.of(outcomes)) == 0.3


def test_it_insists_on_column_names() -> None:
    table = FRAME.rename(columns={SMALL: "s", LARGE: "l", SURE: "c"})
    greedy = automix.GreedyPOMDP(8, slm_column="s", llm_column="l")
    with pytest.raises(KeyError, match=LARGE):
        automix.Automix(greedy, slm_column="s", llm_column="l", verifier_column="c").train(table)
    # The error about the missing column "category" is swallowed, and what comes out escalates nothing.
    simple = automix.Automix(automix.POMDPSimple(8))
    simple.train(FRAME.drop(columns="category"))
    assert not any(simple.best_param)
    # Ours takes columns, whatever they are called.
    tiers = (
        Tier(name="s", quality=table["s"], cost=1, confidence=table["c"]),
        Tier(name="l", quality=table["l"], cost=50),
    )
    outcomes = Outcomes(tiers=tiers)
    value = apgr(escalation_curve(outcomes), Ends.of(outcomes))
    assert isinstance(value, float)
    assert value > 0.5


def test_it_ignores_the_costs_given_to_evaluate() -> None:
    learned = automix.Automix(automix.Threshold(8), costs=[1, 50], verifier_cost=1)
    learned.train(FRAME)
    *found, escalated = learned.evaluate(FRAME, costs=[1, 5], verifier_cost=0.5, return_decisions=True)
    assert tuple(found) == learned.evaluate(FRAME)
    # Ours is right for either price, as the library is when told from the start.
    told = automix.Automix(automix.Threshold(8), costs=[1, 5], verifier_cost=0.5)
    told.best_param = learned.best_param
    lift = ibc_lift(*replayed(FRAME, escalated, [1, 5], 0.5))
    assert lift == pytest.approx(told.evaluate(FRAME)[0])
    assert lift != pytest.approx(found[0], rel=0.05)


def test_it_crashes_on_a_budget_that_nothing_meets() -> None:
    with pytest.raises(ValueError, match="empty"):
        automix.Automix(automix.Threshold(8)).train(FRAME, cost_constraint=(0.0, 1.5))
    # Ours says what the least cost is: small answers and their verifications.
    curve = escalation_curve(outcomes_of(FRAME, [1, 50], 1))
    assert curve.cost.min() == 2.0


def test_a_missing_confidence_crashes_it_or_passes_for_a_good_one() -> None:
    table = FRAME.assign(**{SURE: FRAME[SURE].where(FRAME.index != 7)})
    with pytest.raises(TypeError):
        automix.Automix(automix.POMDPSimple(8)).train(table)
    assert not automix.Threshold(8).run(table, 1.0)[7]  # kept, even where everything is to escalate
    # Ours names the row.
    with pytest.raises(ValueError, match="confidence of tier 'small' holds nan at row 7"):
        outcomes_of(table, [1, 50], 1)


def test_it_escalates_everything_to_a_worse_model() -> None:
    learned = automix.Automix(automix.Threshold(8))
    learned.train(WORSE)
    lift, slope, quality, _, escalated = learned.evaluate(WORSE, return_decisions=True)
    assert escalated.all()
    assert quality == WORSE[LARGE].mean() < WORSE[SMALL].mean()
    # Worse than both models for their price, and still a number: two negative slopes make a positive ratio of slopes.
    assert slope < 0
    assert lift == pytest.approx(49 / 51 - 1)
    ends, cascade = replayed(WORSE, escalated, [1, 50], 1)
    curve = escalation_curve(outcomes_of(WORSE, [1, 50], 1))
    for found in (ibc(ends, cascade), ibc_lift(ends, cascade), best_threshold(curve, ends)):
        assert isinstance(found, Undefined)
        assert "not better than the small one" in found.reason


def test_it_has_a_lift_where_nothing_is_escalated() -> None:
    library = automix.Automix(automix.Threshold(8))
    library.best_param = -1.0
    assert library.evaluate(FRAME)[0] == -1.0
    found = ibc_lift(*replayed(FRAME, np.zeros(len(FRAME)), [1, 50], 1))
    assert isinstance(found, Undefined)
    assert "nothing was escalated" in found.reason


def test_it_escalates_at_the_threshold_where_the_paper_keeps() -> None:
    at = 0.5
    assert automix.Threshold(8).run(pd.DataFrame({SURE: [at]}), at)[0]
    judged = Verification(method="votes", verdict=Verdict.INCORRECT, confidence=at)
    assert Threshold(at).decide([judged]).accept


def released_confidence(replies: list[str]) -> float:
    """The rule of the notebook that comes with the library, in our words: it is not in the package."""
    opening = "the ai generated answer is"
    decided = [reply.lower() for reply in replies if opening in reply.lower()]
    return sum(f"{opening} correct" in reply for reply in decided) / len(decided) if decided else 0


@pytest.mark.parametrize(
    ("reply", "theirs", "ours"),
    [
        ("The AI generated answer is Correct.", 1, Verdict.CORRECT),
        ("The AI generated answer is Incorrect.", 0, Verdict.INCORRECT),
        ("The AI generated answer is **Correct**.", 0, Verdict.CORRECT),
        ("The AI generated answer is correctly flagged as Incorrect.", 1, Verdict.INCORRECT),
        ("I cannot tell from this context.", 0, Verdict.UNPARSED),
    ],
)
def test_its_verdict_rule_knows_no_markdown_and_no_word_ends(reply: str, theirs: float, ours: Verdict) -> None:
    assert released_confidence([reply] * 8) == theirs
    assert parse_verdict(reply) is ours


def test_no_parsed_vote_is_confidence_zero_there_and_no_confidence_here() -> None:
    replies = ["Hm."] * 8
    assert released_confidence(replies) == 0
    # Two thresholds, where the middle of the scale escalates, would even keep that answer.
    assert not automix.DoubleThreshold(8).run(pd.DataFrame({SURE: [0.0]}), (0.25, 0.75)).any()
    judged = Counting(method="votes", samples=8, quorum=1).count([parse_verdict(reply) for reply in replies])
    assert (judged.verdict, judged.confidence) == (Verdict.UNPARSED, None)
    assert not Threshold(0.0).decide([judged]).accept
