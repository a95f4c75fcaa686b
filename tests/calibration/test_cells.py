"""Sums over cells, and intervals over blocks, are what the rows give."""

import numpy as np
import pytest
from tables_to_calibrate import drawn, middling, three_tiers

from automix_graph.calibration import MaxCost, MinQuality, PriceOfError
from automix_graph.calibration.cells import Cells
from automix_graph.calibration.families import escalation_rate, families_for, fit
from automix_graph.calibration.mean_intervals import mean_intervals
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.evaluation import Outcomes, bootstrap_interval, replay


@pytest.mark.parametrize("outcomes", [drawn(300), middling(300), three_tiers(300)])
@pytest.mark.parametrize("lam", [None, 0.01])
def test_every_proposal_is_measured_as_rows_would_be(outcomes: Outcomes, lam: float | None) -> None:
    rows = QuestionRows.of(outcomes, None)
    for family in families_for(len(outcomes.tiers)).values():
        proposal = family(rows, lam)
        some = proposal.policies[:: max(1, len(proposal.policies) // 7)]
        quality, cost = Cells.of(outcomes, proposal.bins).measure(some)
        for position, policy in enumerate(some):
            cascade = replay(outcomes, policy)
            assert quality[position] == pytest.approx(cascade.quality.mean())
            assert cost[position] == pytest.approx(cascade.cost.mean())


@pytest.mark.parametrize("tiers", [2, 3])
@pytest.mark.parametrize("target", [MaxCost(7), MinQuality(0.85), PriceOfError(60)])
def test_what_a_family_fits_meets_the_target_on_its_rows(
    tiers: int, target: MaxCost | MinQuality | PriceOfError
) -> None:
    outcomes = drawn(400) if tiers == 2 else three_tiers(400)
    rows = QuestionRows.of(outcomes, None)
    for name, family in families_for(tiers).items():
        found = fit(family, rows, target)
        cascade = replay(outcomes, found.policy)
        assert found.met == target.met(cascade.quality.mean(), cascade.cost.mean()), name


def test_the_rate_is_what_random_escalation_exchanges() -> None:
    outcomes = drawn(1000)
    gain = outcomes.large.quality.mean() - outcomes.small.quality.mean()
    assert escalation_rate(QuestionRows.of(outcomes, None)) == pytest.approx(gain / 20)


def test_intervals_are_those_of_the_bootstrap() -> None:
    generator = np.random.default_rng(0)
    groups = np.arange(600) // 3
    values = (generator.random(600) < 0.3 + 0.4 * (groups % 2)).astype(float)
    ours = mean_intervals({"v": values}, groups, seed=0)["v"]
    theirs = bootstrap_interval(np.mean, values, seed=0, groups=groups)
    assert ours.estimate == theirs.estimate
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_blocks_of_many_questions_vary_as_the_questions_do() -> None:
    values = np.random.default_rng(0).random(40_000)
    found = mean_intervals({"v": values}, np.arange(40_000), seed=0)["v"]
    assert found.low is not None
    assert found.high is not None
    # 2 x 1.96 standard errors of a uniform mean.
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(1 / 12 / 40_000), rel=0.12)
