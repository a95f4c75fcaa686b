import dataclasses
import math
import time

import numpy as np
import pytest
from tables_to_calibrate import drawn, middling, sharp, three_tiers, two_tiers

from automix_graph.calibration import (
    CalibrationRefused,
    MaxCost,
    MaxError,
    MaxRegret,
    MinQuality,
    PriceOfError,
    Target,
    calibrate,
)
from automix_graph.calibration.cells import Cells
from automix_graph.calibration.cross_validation import HeldOut, folds_of
from automix_graph.calibration.expectations import corrected
from automix_graph.calibration.families import families_for, fit
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.evaluation import Outcomes, Tier, replay
from automix_graph.policies import DoubleThreshold, PerTier, Threshold, UtilityPolicy
from automix_graph.records import Verdict, Verification

TARGETS = (MaxCost(8), MinQuality(0.8), PriceOfError(40), MaxError(0.2, 0.2), MaxRegret(0.05, 0.1))


def test_a_price_of_errors_finds_the_cut() -> None:
    found = calibrate(sharp(), PriceOfError(1000))
    assert isinstance(found.policy, Threshold)
    assert found.policy.minimum == pytest.approx(0.4, abs=0.01)
    # 1 + 0.5 for all, 20 for the 40 percent below the cut.
    assert found.expected.cost.estimate == pytest.approx(9.5, abs=0.3)
    assert found.expected.quality.estimate == pytest.approx(1.0, abs=0.02)


def test_a_low_price_of_errors_escalates_nothing() -> None:
    # Escalating costs 20, and mends at most one answer.
    found = calibrate(sharp(), PriceOfError(19))
    assert found.expected.escalated.estimate == 0.0
    assert "Nothing escalates" in " ".join(found.notes)


def test_a_budget_is_spent_on_the_least_sure_and_not_exceeded() -> None:
    outcomes = sharp()
    found = calibrate(outcomes, MaxCost(5.5))
    cascade = replay(outcomes, found.policy)
    assert 5.2 < cascade.cost.mean() <= 5.5  # 20 percent may escalate: 1.5 + 0.2 x 20
    assert cascade.quality.mean() == pytest.approx(0.6 + cascade.escalated)


def test_a_budget_beyond_need_is_not_spent() -> None:
    outcomes = sharp()
    cascade = replay(outcomes, calibrate(outcomes, MaxCost(100)).policy)
    assert cascade.cost.mean() == pytest.approx(9.5, abs=0.3)


def test_a_floor_is_reached_at_the_least_cost() -> None:
    outcomes = sharp()
    cascade = replay(outcomes, calibrate(outcomes, MinQuality(0.8)).policy)
    assert 0.8 <= cascade.quality.mean() < 0.83
    assert cascade.cost.mean() < 6.2


def test_a_floor_below_the_small_model_is_met_by_escalating_nothing() -> None:
    # A band that rises above the floor would be worth its cost, and is not what was asked for.
    found = calibrate(middling(1500), MinQuality(0.3))
    assert found.expected.escalated.estimate == 0.0
    assert "'small' alone is at least as good" in " ".join(found.notes)


def test_budgets_are_respected_and_spent_in_the_mean_of_many_calibrations() -> None:
    population = drawn(20_000, seed=99)
    simple = families_for(2)["threshold"]
    spent = []
    for seed in range(30):
        rows = QuestionRows.of(drawn(150, seed=seed), None)
        spent.append(replay(population, fit(simple, rows, MaxCost(9)).policy).cost.mean())
    assert 8.0 < np.mean(spent) <= 9.0


def test_a_dip_in_few_rows_leaves_no_budget_unspent() -> None:
    # The least sure ten lose one answer by escalating, the next ten win all: together they are worth their cost.
    sure = np.repeat([0.1, 0.3, 0.9], 10)
    small = np.repeat([0.0, 0.0, 1.0], 10)
    small[0] = 1.0
    large = np.repeat([0.0, 1.0, 1.0], 10)
    outcomes = two_tiers(sure, small, large)
    budget = MaxCost(1.5 + 20 / 3)
    policy = fit(families_for(2)["threshold"], QuestionRows.of(outcomes, None), budget).policy
    assert replay(outcomes, policy).cost.mean() == pytest.approx(budget.cost)


def test_a_target_is_corrected_by_what_held_out_rows_missed_it_by() -> None:
    held = HeldOut(quality=np.array([0.7, 0.8]), cost=np.array([8.0, 10.0]), escalated=np.zeros(2))
    assert corrected(MinQuality(0.8), held).as_dict()["quality"] == pytest.approx(0.85)
    assert corrected(MinQuality(0.7), held) == MinQuality(0.7)
    assert corrected(MaxCost(8.5), held) == MaxCost(8.0)
    assert corrected(MaxCost(9.5), held) == MaxCost(9.5)
    assert corrected(PriceOfError(9), held) == PriceOfError(9)


def test_a_floor_that_only_the_fitted_rows_reach_is_refused() -> None:
    # The confidence tells nothing: whatever beats the large model in these rows is luck.
    generator = np.random.default_rng(3)
    small, large = (generator.random((2, 120)) < np.array([[0.6], [0.7]])).astype(float)
    outcomes = two_tiers(generator.random(120), small, large)
    proposal = families_for(2)["double-threshold"](QuestionRows.of(outcomes, None), None)
    quality, _ = Cells.of(outcomes, proposal.bins).measure(proposal.policies)
    floor = float(quality.max())
    assert floor > large.mean()
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(outcomes, MinQuality(floor))
    assert caught.value.reason == "floor-too-high"


def test_families_are_compared_on_a_sample_of_many_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automix_graph.calibration.expectations.MOST_COMPARED", 200)
    outcomes = drawn(900)
    found = calibrate(outcomes, MaxCost(9), groups=np.arange(900) // 3)
    assert (found.n, found.questions, found.selection) == (900, 300, 600)
    assert replay(outcomes, found.policy).cost.mean() <= 9.0


def test_a_floor_that_held_out_rows_miss_is_aimed_higher() -> None:
    outcomes, floor = drawn(300, seed=5), 0.8
    found = calibrate(outcomes, MinQuality(floor))
    # What is shown is what held-out rows came to under the target that was aimed at in the end.
    assert found.expected.quality.estimate is not None
    assert found.expected.quality.estimate > floor - 0.02
    assert replay(outcomes, found.policy).quality.mean() >= floor


def test_the_middle_of_the_scale_is_found_only_by_richer_policies() -> None:
    outcomes = middling(1500)
    found = calibrate(outcomes, PriceOfError(60))
    simple, *_ = found.compared
    chosen = next(each for each in found.compared if each.chosen)
    assert isinstance(found.policy, DoubleThreshold | UtilityPolicy) or found.policy.name.startswith("pomdp")
    assert simple.verdict.startswith("not chosen")
    assert chosen.advantage is not None
    assert chosen.advantage.low is not None
    assert chosen.advantage.low > 0.0
    escalated = {round(band.low or 0.0, 1): band.escalated for band in found.bands}
    assert escalated[0.5] == 1.0
    assert escalated[0.1] == escalated[0.8] == 0.0


def test_without_a_sure_advantage_the_threshold_stays() -> None:
    found = calibrate(drawn(800, seed=1), PriceOfError(40))
    assert isinstance(found.policy, Threshold)
    assert found.compared[0].chosen
    assert found.compared[0].verdict == "chosen: no richer policy is surely better for this target"
    assert [each.family for each in found.compared][1:] == [
        "double-threshold",
        "isotonic utility",
        "binned utility",
        "pomdp",
    ]
    assert all(each.advantage is not None for each in found.compared[1:])


def test_certified_error_keeps_most_of_what_is_certified() -> None:
    found = calibrate(sharp(2000), MaxError(0.05, 0.1))
    certificate = found.certificate
    assert certificate is not None
    assert isinstance(found.policy, Threshold)
    assert certificate.threshold == found.policy.minimum
    # Errors begin below 0.4; a share of 0.05 of those kept is 0.4 - 0.6 x 0.05 / 0.95.
    assert 0.4 - 0.6 / 19 < found.policy.minimum < 0.41
    assert certificate.observed is not None
    assert certificate.observed <= 0.05
    assert found.selection + found.certification == found.n
    assert found.guarantee == (
        "With confidence 90 %, at most 5 % of the answers that are kept from the small model are wrong."
    )


def test_certified_regret_is_over_all_questions() -> None:
    found = calibrate(sharp(2000), MaxRegret(0.05, 0.1))
    assert isinstance(found.policy, Threshold)
    assert 0.35 < found.policy.minimum < 0.37  # the 5 percent below the cut, less what certainty takes
    assert "worse answer than the large model" in found.guarantee


def test_graded_answers_are_certified_by_their_mean() -> None:
    sure = (np.arange(2000) + 0.5) / 2000
    outcomes = two_tiers(sure, np.where(sure > 0.4, 1.0, 0.5), np.ones(2000))
    found = calibrate(outcomes, MaxError(0.1, 0.1))
    assert found.certificate is not None
    assert found.certificate.graded
    assert "worth at least 0.9 in the mean" in found.guarantee


def test_nothing_is_certified_with_too_few_rows_and_the_need_is_in_all_rows() -> None:
    outcomes = sharp(50)
    with pytest.raises(CalibrationRefused, match="nothing can be certified") as caught:
        calibrate(outcomes, MaxError(0.05, 0.1))
    numbers = caught.value.numbers
    assert caught.value.reason == "nothing-certified"
    assert numbers["questions"] == 50
    assert numbers["selection"] == 15
    assert numbers["certification"] == 35
    assert numbers["at_least"] == math.ceil(45 / 0.7)  # 45 rows without a loss, and seven tenths certify
    assert numbers["needed"] is not None
    assert numbers["needed"] > 50


def test_a_confidence_that_tells_nothing_certifies_nothing() -> None:
    generator = np.random.default_rng(0)
    right = (generator.random(1000) < 0.7).astype(float)
    outcomes = two_tiers(generator.random(1000), right, np.ones(1000))
    with pytest.raises(CalibrationRefused, match="no number would do: allow more") as caught:
        calibrate(outcomes, MaxError(0.05, 0.1))
    assert caught.value.numbers["needed"] is None


@pytest.mark.parametrize("target", TARGETS)
def test_a_large_model_that_is_not_better_is_refused(target: Target) -> None:
    outcomes = drawn(500, large=0.3)
    with pytest.raises(CalibrationRefused, match=r"not better than the small one.*use 'small' alone") as caught:
        calibrate(outcomes, target)
    assert caught.value.reason == "large-not-better"
    assert caught.value.numbers["small"] == outcomes.small.quality.mean()
    assert caught.value.numbers["large"] == outcomes.large.quality.mean()


def test_a_budget_below_answer_and_verification_is_refused() -> None:
    with pytest.raises(CalibrationRefused, match=r"no cascade costs 1\.4 a question or less.*costs 1\.5;") as caught:
        calibrate(sharp(), MaxCost(1.4))
    assert caught.value.reason == "budget-too-low"
    assert caught.value.numbers["needed"] == pytest.approx(1.5)
    assert calibrate(sharp(), MaxCost(1.5)).expected.escalated.estimate == 0.0


def test_a_budget_is_compared_with_what_failed_verifications_cost_too() -> None:
    outcomes = with_failures(sharp(), every=4)
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(outcomes, MaxCost(6.4))
    assert caught.value.numbers["needed"] == pytest.approx(1.5 + 0.25 * 20)


def test_a_floor_above_what_can_be_reached_is_refused() -> None:
    outcomes = drawn(500)
    with pytest.raises(CalibrationRefused, match=r"no policy reaches a quality of at least 0\.99") as caught:
        calibrate(outcomes, MinQuality(0.99))
    assert caught.value.reason == "floor-too-high"
    assert caught.value.numbers["large"] == outcomes.large.quality.mean()


def test_a_handful_of_questions_is_refused() -> None:
    with pytest.raises(CalibrationRefused, match="at least 50") as caught:
        calibrate(sharp(49), MaxCost(8))
    assert caught.value.reason == "too-few-rows"
    copies = calibrate(sharp(100), MaxCost(8))
    assert copies.n == 100
    with pytest.raises(CalibrationRefused, match="there are 49 questions"):
        calibrate(sharp(98), MaxCost(8), groups=np.arange(98) // 2)


def test_without_any_judgement_nothing_is_calibrated() -> None:
    with pytest.raises(CalibrationRefused, match="every verification of tier 'small' failed"):
        calibrate(with_failures(sharp(), every=1), MaxCost(8))


def with_failures(outcomes: Outcomes, *, every: int) -> Outcomes:
    """The same outcomes, where every so manieth verification failed."""
    assert outcomes.small.confidence is not None
    found = [
        Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")
        if row % every == 0
        else Verification(method="m", verdict=Verdict.CORRECT, confidence=float(sure))
        for row, sure in enumerate(outcomes.small.confidence)
    ]
    small = Tier(name="small", quality=outcomes.small.quality, cost=1, verify_cost=0.5, verifications=found)
    return Outcomes(tiers=(small, outcomes.large))


@pytest.mark.parametrize("target", TARGETS)
def test_failed_verifications_escalate_and_are_counted(target: Target) -> None:
    outcomes = with_failures(drawn(1000, seed=2), every=5)
    found = calibrate(outcomes, target)
    assert found.bands[-1].low is None
    assert found.bands[-1].share == 0.2
    assert found.bands[-1].escalated == 1.0
    assert found.expected.escalated.estimate is not None
    assert found.expected.escalated.estimate >= 0.17


@pytest.mark.parametrize("target", TARGETS)
def test_the_seed_decides_all(target: Target) -> None:
    outcomes = drawn(1000, seed=1)
    first, second = calibrate(outcomes, target, seed=3), calibrate(outcomes, target, seed=3)
    assert first.as_dict() == second.as_dict()
    assert first.policy == second.policy
    other = calibrate(outcomes, target, seed=4)
    assert other.expected != first.expected


def test_copies_of_a_question_never_straddle_a_split() -> None:
    outcomes = drawn(600)
    groups = np.arange(600) // 3
    rows = QuestionRows.of(outcomes, groups)
    folds = folds_of(rows, seed=0)
    assert np.unique(rows.codes, return_counts=True)[1].tolist() == [3] * 200
    assert all(np.unique(folds[rows.codes == code]).size == 1 for code in rows.codes)
    assert np.bincount(folds).tolist() == [120] * 5
    found = calibrate(outcomes, MaxError(0.3, 0.2), groups=groups)
    # One row a question is certified on, and chosen by.
    assert found.questions == 200
    assert found.selection == 60
    assert found.certification == 140


def test_copies_do_not_make_a_guarantee() -> None:
    # Ten right questions, each a hundred times over, are ten rows.
    sure = np.concatenate([np.full(1000, 0.9), np.full(20, 0.1)])
    outcomes = two_tiers(sure, np.concatenate([np.ones(1000), np.zeros(20)]), np.ones(1020))
    groups = np.concatenate([np.arange(1000) % 10, 10 + np.arange(20)])
    with pytest.raises(CalibrationRefused, match="nothing can be certified"):
        calibrate(outcomes, MaxError(0.1, 0.1), groups=groups)
    assert calibrate(outcomes, MaxError(0.1, 0.1)).certificate is not None


def test_three_tiers_meet_a_budget() -> None:
    outcomes = three_tiers()
    found = calibrate(outcomes, MaxCost(7.0))
    cascade = replay(outcomes, found.policy)
    assert cascade.cost.mean() <= 7.0
    # 0.5 answered by a, up to 0.3 by b, the rest by c: all right costs 1.5 + 0.5 x 4.5 + 0.2 x 20 = 7.75.
    assert cascade.quality.mean() > 0.9
    assert [each.family for each in found.compared] == ["threshold", "per-tier", "optimal-stopping", "pomdp"]


@pytest.mark.parametrize("target", [MaxError(0.1, 0.1), MaxRegret(0.1, 0.1)])
def test_three_tiers_are_certified_by_a_threshold_each(target: MaxError | MaxRegret) -> None:
    outcomes = three_tiers(1500)
    found = calibrate(outcomes, target)
    assert isinstance(found.policy, PerTier)
    cascade = replay(outcomes, found.policy)
    kept = cascade.route < 2
    lost = (1.0 - cascade.quality)[kept].sum() / (kept.sum() if isinstance(target, MaxError) else outcomes.n)
    assert 0.0 < lost <= target.alpha
    assert found.certificate is not None
    assert found.certificate.kept == pytest.approx(kept.mean() * found.certification, rel=0.05)
    with pytest.raises(CalibrationRefused, match="nothing can be certified"):
        calibrate(three_tiers(30), MaxError(0.01, 0.1))


def test_three_tiers_weigh_a_price_of_errors() -> None:
    outcomes = three_tiers()
    cascade = replay(outcomes, calibrate(outcomes, PriceOfError(1000)).policy)
    assert cascade.quality.mean() > 0.97
    assert cascade.cost.mean() < 9.0


def test_a_model_alone_that_does_better_is_named() -> None:
    # The verification costs as much as a large answer.
    outcomes = dataclasses.replace(
        two_tiers(np.linspace(0, 1, 400), (np.arange(400) > 160).astype(float), np.ones(400), verify=20.0)
    )
    found = calibrate(outcomes, MaxRegret(0.05, 0.1))
    assert "'large' alone is at least as good and costs no more" in " ".join(found.notes)


def test_agreement_is_named_in_the_guarantee() -> None:
    found = calibrate(sharp(2000), MaxError(0.05, 0.1), label="agreement with the large model")
    assert "differ from the large model's" in found.guarantee
    assert "Agreement is not correctness" in found.not_said


def test_plain_values_are_json() -> None:
    import json

    for target in (MaxCost(8), MaxError(0.1, 0.1)):
        plain = calibrate(sharp(1000), target).as_dict()
        assert json.loads(json.dumps(plain, allow_nan=False))["target"] == target.as_dict()


def test_twenty_thousand_rows_take_no_time() -> None:
    outcomes = drawn(20_000)
    start = time.perf_counter()
    calibrate(outcomes, MaxCost(8))
    assert time.perf_counter() - start < 20.0
