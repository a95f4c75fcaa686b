import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score
from tables_of_outcomes import GRADES, Row, judged, priced_outcomes, rows_of, three_tiers, two_tiers

from automix_graph.evaluation import (
    Evaluation,
    Outcomes,
    TierColumns,
    Undefined,
    bootstrap_interval,
    evaluate,
    evaluation_dict,
    read_outcomes,
    replay,
)
from automix_graph.evaluation.outcomes import escalation_order
from automix_graph.policies import AcceptCorrect, Policy, Threshold
from automix_graph.records import Decision, Verification

COSMOS = Path(__file__).parents[3] / "shared" / "data" / "cosmosqa_llama2_9995.csv"

TWO_TIERS_ONLY = {"apgr", "cpt50", "cpt80", "aiq", "auroc", "ece", "brier", "auroc_escalation_helps"}
HEADLINES = {
    *("n", "small", "large", "oracle", "quality", "cost", "escalated", "ibc", "ibc_lift", "pgr"),
    *("apgr", "cpt50", "cpt80", "aiq", "auroc", "ece"),
}


def plain(outcomes: Outcomes, *policies: Policy, n_resamples: int = 5, seed: int = 0) -> dict[str, Any]:
    found = (
        evaluate(outcomes, policies, n_resamples=n_resamples, seed=seed)
        if policies
        else _default(outcomes, n_resamples)
    )
    data: dict[str, Any] = json.loads(json.dumps(evaluation_dict(found), allow_nan=False))
    return data


def _default(outcomes: Outcomes, n_resamples: int) -> Evaluation:
    return evaluate(outcomes, n_resamples=n_resamples)


def by_confidence(outcomes: Outcomes) -> Outcomes:
    return outcomes.take(np.argsort(escalation_order(outcomes.small), kind="stable"))


def simulated(n: int = 300) -> Outcomes:
    generator = np.random.default_rng(3)
    confidence = np.round(generator.random(n), 2)
    small, large = generator.random(n) < confidence, generator.random(n) < 0.9
    return two_tiers([tuple(map(float, row)) for row in zip(small, large, confidence, strict=True)])


def test_scikit_learn_finds_the_same() -> None:
    outcomes = simulated()
    small, large = outcomes.tiers
    assert small.confidence is not None
    found = plain(outcomes)
    assert found["auroc"] == pytest.approx(roc_auc_score(small.quality, small.confidence))
    assert found["brier"] == pytest.approx(brier_score_loss(small.quality, small.confidence))
    helps = roc_auc_score(large.quality > small.quality, -small.confidence)
    assert found["auroc_escalation_helps"] == pytest.approx(helps)
    bins = np.minimum((small.confidence * 100).round().astype(int) // 10, 9)
    parts = [bins == b for b in range(10)]
    gaps = [abs(small.quality[p].mean() - small.confidence[p].mean()) * p.mean() for p in parts if p.any()]
    assert found["ece"] == pytest.approx(sum(gaps))


def test_intervals_are_those_of_the_plain_bootstrap_and_paired() -> None:
    outcomes = simulated(60)
    small, large = by_confidence(outcomes).tiers
    assert small.confidence is not None
    kept = small.confidence > 0.5
    found = plain(outcomes, n_resamples=100)["intervals"]

    def gain(one: np.ndarray, two: np.ndarray, keep: np.ndarray) -> float:
        return float((np.where(keep, one, two) - one).mean())

    def recovered(one: np.ndarray, two: np.ndarray, keep: np.ndarray) -> float | None:
        return gain(one, two, keep) / (two.mean() - one.mean()) if two.mean() > one.mean() else None

    for name, statistic in [("gain_over_small", gain), ("pgr", recovered)]:
        alone = bootstrap_interval(statistic, small.quality, large.quality, kept, seed=0, n_resamples=100)
        assert (found[name]["low"], found[name]["high"]) == (pytest.approx(alone.low), pytest.approx(alone.high))
        assert found[name]["failed_resamples"] == alone.failed_resamples


def test_the_gain_of_each_bin_has_the_interval_of_the_plain_bootstrap() -> None:
    outcomes = simulated(60)
    small, large = by_confidence(outcomes).tiers
    assert small.confidence is not None
    for part in plain(outcomes, n_resamples=50)["gain_by_confidence"]:
        inside = (part["low"] <= small.confidence) & (small.confidence <= part["high"])

        def gain(difference: np.ndarray, chosen: np.ndarray) -> float | None:
            return float(difference[chosen].mean()) if chosen.any() else None

        alone = bootstrap_interval(gain, large.quality - small.quality, inside, seed=0, n_resamples=50)
        assert part["gain"] == pytest.approx(alone.estimate)
        assert part["interval"] == pytest.approx(
            {"low": alone.low, "high": alone.high, "failed_resamples": alone.failed_resamples}
        )


@settings(deadline=None, max_examples=60)
@given(priced_outcomes())
def test_every_measure_is_bounded_or_undefined_with_a_reason(outcomes: Outcomes) -> None:
    found = plain(outcomes)
    assert set(found) >= HEADLINES
    for name in HEADLINES - {"n"}:
        assert (found[name] is None) == (name in found["undefined"])
    for name in ("small", "large", "oracle", "quality", "escalated", "cpt50", "cpt80", "aiq", "auroc", "ece", "brier"):
        assert found[name] is None or -1e-9 <= found[name] <= 1 + 1e-9
    assert max(found["small"], found["large"], found["quality"]) <= found["oracle"] + 1e-9
    assert found["cost"] >= found["tiers"][0]["cost"] - 1e-9
    assert sum(tier["answered"] for tier in found["tiers"]) == pytest.approx(1.0)


@settings(deadline=None, max_examples=40)
@given(rows_of(GRADES), st.permutations(range(12)))
def test_the_order_of_the_rows_changes_no_measure(rows: list[Row], order: list[int]) -> None:
    shuffled = [rows[i] for i in order if i < len(rows)]
    one, other = plain(two_tiers(rows)), plain(two_tiers(shuffled))
    assert one["undefined"].keys() == other["undefined"].keys()
    for name in HEADLINES:
        assert one[name] == pytest.approx(other[name]) if one[name] is not None else other[name] is None


@settings(deadline=None, max_examples=40)
@given(three_tiers())
def test_more_tiers_have_what_is_defined_for_them(outcomes: Outcomes) -> None:
    found = plain(outcomes)
    for name in TWO_TIERS_ONLY:
        assert found[name] is None
        assert "two tiers, and there are 3" in found["undefined"][name]
    assert found["gain_by_confidence"] is found["best_in_hindsight"] is None
    assert found["undefined"]["best_in_hindsight"] == found["undefined"]["gain_by_confidence"]
    assert found["oracle"] == pytest.approx(np.max([tier.quality for tier in outcomes.tiers], axis=0).mean())
    asked = [tier["asked"] for tier in found["tiers"]]
    assert asked[0] == 1.0
    assert asked[1] == pytest.approx(found["escalated"])
    assert found["tiers"][2]["answered"] == pytest.approx(asked[2])
    assert found["tiers"][2]["auroc"] is found["tiers"][2]["verify_cost"] is None


def test_policies_are_compared_and_the_first_is_the_headline() -> None:
    outcomes = simulated(80)
    found = plain(outcomes, Threshold(0.7), Threshold(0.2))
    assert found["policy"] == {
        "name": "threshold(0.7)",
        "keeps": "confidence >= 0.7",
        "threshold": 0.7,
        "in_hindsight": False,
    }
    assert [policy["threshold"] for policy in found["policies"]] == [0.7, 0.2]
    assert found["quality"] == found["policies"][0]["quality"] != found["policies"][1]["quality"]
    best = found["best_in_hindsight"]
    assert best["in_hindsight"] is True
    assert plain(outcomes, Threshold(best["threshold"]))["cost"] == best["cost"]
    assert plain(outcomes)["policy"]["name"] == "accept-correct"


def test_graded_answers_are_not_right_or_wrong() -> None:
    found = plain(two_tiers([(0.5, 1, 0.2), (1, 1, 0.9)]))
    for name in ("auroc", "ece", "brier"):
        assert "not only 0 and 1" in found["undefined"][name]
        assert "not only 0 and 1" in found["tiers"][0]["undefined"][name]
    assert found["apgr"] is not None


@pytest.mark.parametrize(("small", "kind"), [(1.0, "right"), (0.0, "wrong")])
def test_one_kind_of_answers_has_no_auroc(small: float, kind: str) -> None:
    found = plain(two_tiers([(small, 1, 0.2), (small, 1, 0.9)]))
    assert found["undefined"]["auroc"] == f"all answers of tier 'small' are {kind}"
    reason = found["undefined"]["auroc_escalation_helps"]
    assert reason == f"the large model is better on {'no question' if small else 'every question'}"


@pytest.mark.parametrize("policies", [[], [Threshold(0.5), Threshold(0.5)], [AcceptCorrect(), AcceptCorrect()]])
def test_policies_must_differ(policies: list[Policy]) -> None:
    with pytest.raises(ValueError, match="give at least one, and each only once"):
        evaluate(two_tiers([(0, 1, 0.5)]), policies)


def test_the_seed_decides_the_intervals() -> None:
    outcomes = simulated(50)
    one, again, other = (plain(outcomes, Threshold(0.5), seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one["intervals"] != other["intervals"]


@pytest.mark.skipif(not COSMOS.exists(), reason="the table of 9,995 CosmosQA questions is not in ../shared/data")
def test_published_table() -> None:
    columns = [
        TierColumns(name="small", quality="l13_ok", cost=1.0, confidence="l13_pmax"),
        TierColumns(name="large", quality="l70_ok", cost=20.0),
    ]
    found = plain(read_outcomes(COSMOS, columns, 0.15), n_resamples=2)
    expected = {
        "small": 0.7893,
        "large": 0.9044,
        "oracle": 0.9415,
        "apgr": 0.783,
        "cpt50": 0.180,
        "cpt80": 0.349,
        "aiq": 0.878,
    }
    assert found["n"] == 9995
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.0006)


def test_an_evaluation_keeps_the_reasons() -> None:
    found = evaluate(two_tiers([(1, 0, 0.2), (1, 1, 0.9)]), n_resamples=2)
    assert isinstance(found.hindsight, Undefined)
    assert "no gap" in found.hindsight.reason


FAILING: list[tuple[float, float, float | None]] = [
    (1, 1, 0.9),
    (0, 1, 0.7),
    (1, 1, 0.6),
    (0, 0, 0.2),
    (1, 1, None),
    (0, 1, None),
]


def test_what_could_not_be_judged_is_counted_and_never_guessed() -> None:
    found = plain(judged(FAILING), n_resamples=40)
    assert found["tiers"][0]["failed_verifications"] == 2
    assert found["tiers"][1]["failed_verifications"] is None
    # Kept: 0.9, 0.7 and 0.6; quality (1 + 0 + 1) + (0 + 1 + 1), cost 1.5 each and 20 for three.
    assert (found["quality"], found["escalated"]) == (pytest.approx(4 / 6), 0.5)
    assert found["cost"] == pytest.approx(1.5 + 20 / 2)
    # Four judged answers: right ones 0.9 and 0.6, wrong ones 0.7 and 0.2.
    assert found["auroc"] == pytest.approx(3 / 4)
    assert found["brier"] == pytest.approx((0.01 + 0.49 + 0.16 + 0.04) / 4)
    assert found["ece"] == pytest.approx((0.1 + 0.7 + 0.4 + 0.2) / 4)
    # Of the judged ones, the large model is better on 0.7 alone, and two of three others lie below.
    assert found["auroc_escalation_helps"] == pytest.approx(1 / 3)
    assert sum(part["n"] for part in found["gain_by_confidence"]) == 4
    # Each bin holds one question, so that its gain cannot vary; the failed ones are in none of them.
    ends = [(part["interval"]["low"], part["interval"]["high"]) for part in found["gain_by_confidence"]]
    assert ends == [(0, 0), (0, 0), (1, 1), (0, 0)]
    # Both failed ones escalate first (PGR 0 to 1/2 at 1/3), then 0.2 (1/2), 0.6 (1/2), 0.7 (1).
    assert found["apgr"] == pytest.approx((0.5 / 2) / 3 + 0.5 / 3 + 0.75 / 6 + 1 / 6)


def test_nothing_is_said_of_confidence_where_all_verifications_failed() -> None:
    found = plain(judged([(0, 1, None), (1, 1, None)]))
    for name in ("auroc", "ece", "brier", "auroc_escalation_helps", "gain_by_confidence", "best_in_hindsight"):
        assert found[name] is None
        assert "every verification" in found["undefined"][name]
    assert (found["escalated"], found["apgr"]) == (1.0, 0.5)


def test_models_alone_mix_and_oracle_stand_beside_the_policies() -> None:
    found = plain(judged([(1, 1, 0.9), (0, 1, 0.7), (0, 0, 0.1), (1, 0, 0.3)]))
    # The oracle takes the small model where it is right, or both are wrong.
    assert found["references"] == {
        "small_only": {"quality": 0.5, "cost": 1.0},
        "large_only": {"quality": 0.5, "cost": 22.0},
        "oracle": {"quality": 0.75, "cost": pytest.approx((1 + 22 + 1 + 1) / 4)},
    }
    assert found["random_mix"]["cost"] == pytest.approx(found["cost"])
    assert found["random_mix"]["share_large"] == pytest.approx((1.5 + 20 / 2 - 1) / 21)


@settings(deadline=None, max_examples=40)
@given(three_tiers())
def test_the_oracle_is_the_cheapest_of_the_best(outcomes: Outcomes) -> None:
    found = plain(outcomes)["references"]["oracle"]
    best = []
    for question in range(outcomes.n):
        options = [(-tier.quality[question], tier.cost[question]) for tier in outcomes.tiers]
        best.append(min(options))
    assert found["quality"] == pytest.approx(-np.mean([quality for quality, _ in best]))
    assert found["cost"] == pytest.approx(np.mean([cost for _, cost in best]))


def test_differences_of_policies_are_paired() -> None:
    outcomes = simulated(60)
    policies = [Threshold(0.3), Threshold(0.7)]
    found = plain(outcomes, *policies, n_resamples=80)
    assert found["policies"][0]["over_first"] is None
    over = found["policies"][1]["over_first"]
    ordered = by_confidence(outcomes)
    for name in ("quality", "cost"):
        first, second = (getattr(replay(ordered, policy), name) for policy in policies)
        alone = bootstrap_interval(lambda a, b: (b - a).mean(), first, second, seed=0, n_resamples=80)
        assert over[name] == pytest.approx((second - first).mean())
        assert (over["intervals"][name]["low"], over["intervals"][name]["high"]) == pytest.approx(
            (alone.low, alone.high)
        )
    assert found["best_in_hindsight"]["over_first"]["cost"] == pytest.approx(
        found["best_in_hindsight"]["cost"] - found["cost"]
    )


def test_where_each_question_ended_is_told_in_the_order_of_the_questions() -> None:
    outcomes = judged([(0, 1, 0.2), (1, 1, 0.9), (0, 1, None), (1, 1, 0.8)])
    found = evaluate(outcomes, [AcceptCorrect(), Threshold(0.85)], n_resamples=2)
    assert [result.cascade.route.tolist() for result in found.policies] == [[1, 0, 1, 0], [1, 0, 1, 1]]
    assert [result.name for result in found.policies] == ["accept-correct", "threshold(0.85)"]
    assert [result.keeps for result in found.policies] == ["verdict CORRECT", "confidence >= 0.85"]
    assert found.policies[0].answered == (0.5, 0.5)


def test_any_policy_can_be_compared() -> None:
    class Own:
        name = "own"

        def decide(self, history: Sequence[Verification]) -> Decision:
            return Decision(accept=history[-1].confidence in {0.2, 0.9}, policy=self.name, reason="")

    found = plain(two_tiers([(0, 1, 0.2), (1, 1, 0.9), (1, 1, 0.6)]), Own())
    assert found["policy"] == {"name": "own", "keeps": "own", "threshold": None, "in_hindsight": False}
    assert found["escalated"] == pytest.approx(1 / 3)
