"""Calibration as a whole: which policy is chosen, of which questions, and what is told of it."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest
from tables_to_calibrate import TARGETS, drawn, middling, sharp, two_tiers, with_failures

from automix_graph.calibration import MaxCost, MaxError, MaxRegret, PriceOfError, Target, calibrate
from automix_graph.calibration.cross_validation import folds_of
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.evaluation import replay
from automix_graph.policies import DoubleThreshold, Threshold, UtilityPolicy


def test_families_are_compared_on_a_sample_of_many_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automix_graph.calibration.expectations.MOST_COMPARED", 200)
    outcomes = drawn(900)
    found = calibrate(outcomes, MaxCost(9), groups=np.arange(900) // 3)
    assert (found.n, found.questions, found.selection) == (900, 300, 600)
    assert replay(outcomes, found.policy).cost.mean() <= 9.0


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


def test_a_model_alone_that_does_better_is_named() -> None:
    # The verification costs as much as a large answer.
    outcomes = dataclasses.replace(
        two_tiers(np.linspace(0, 1, 400), (np.arange(400) > 160).astype(float), np.ones(400), verify=20.0)
    )
    found = calibrate(outcomes, MaxRegret(0.05, 0.1))
    assert "'large' alone is at least as good and costs no more" in " ".join(found.notes)


def test_plain_values_are_json() -> None:
    for target in (MaxCost(8), MaxError(0.1, 0.1)):
        plain = calibrate(sharp(1000), target).as_dict()
        assert json.loads(json.dumps(plain, allow_nan=False))["target"] == target.as_dict()


def test_twenty_thousand_rows_take_no_time() -> None:
    outcomes = drawn(20_000)
    start = time.perf_counter()
    calibrate(outcomes, MaxCost(8))
    assert time.perf_counter() - start < 20.0
