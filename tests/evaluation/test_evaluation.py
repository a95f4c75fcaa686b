"""The measures of a whole evaluation, their intervals, and why some of them are undefined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_evaluations import by_confidence, plain, simulated
from sklearn.metrics import brier_score_loss, roc_auc_score
from tables_of_outcomes import GRADES, Row, judged, priced_outcomes, rows_of, three_tiers, two_tiers

from automix_graph.evaluation import Outcomes, TierColumns, Undefined, bootstrap_interval, evaluate, read_outcomes
from automix_graph.policies import Threshold

COSMOS = Path(__file__).parents[3] / "shared" / "data" / "cosmosqa_llama2_9995.csv"

TWO_TIERS_ONLY = {"apgr", "cpt50", "cpt80", "aiq", "auroc", "ece", "brier", "auroc_escalation_helps"}
HEADLINES = {
    *("n", "small", "large", "oracle", "quality", "cost", "escalated", "ibc", "ibc_lift", "pgr"),
    *("apgr", "cpt50", "cpt80", "aiq", "auroc", "ece"),
}


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
