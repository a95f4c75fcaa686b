"""What `calibrate` guarantees, against closed-form truth: the whole path, as the command goes it.

The rows are put in order, split, one of each question taken, thresholds chosen on one part and certified on the other;
then the true risk of the policy that comes out is compared with alpha. The parts are tested in `test_coverage`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from populations import GRADED, INFORMATIVE, MISLEADING, TIED, Population, constant
from scipy import stats
from tables_to_calibrate import two_tiers

from automix_graph.calibration import CalibrationRefused, MaxError, MaxRegret, Split, calibrate
from automix_graph.calibration.targets import Guarantee
from automix_graph.evaluation import Outcomes, Tier
from automix_graph.policies import PerTier, Policy, Threshold

JUST_ABOVE = replace(constant(0.1001), large_wrong=0.02)
"""Whatever is kept breaks alpha = 0.1 by a hair, so that everything certified is a violation."""

POPULATIONS = {
    "informative": INFORMATIVE,
    "tied": replace(TIED, failed=0.0),
    "graded": GRADED,
    "misleading": MISLEADING,
    "useless": replace(constant(0.2), large_wrong=0.02),
    "just above": JUST_ABOVE,
}
TARGETS = {"error": MaxError(0.1, 0.1), "regret": MaxRegret(0.05, 0.1)}


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often something was certified, and how often what was certified breaks alpha."""

    certified: int
    violated: int
    repeats: int

    def surely_above(self, delta: float) -> bool:
        """Whether so many violations come with a probability below 1e-4 if theirs is at most delta."""
        return bool(stats.binom.sf(self.violated - 1, self.repeats, delta) < 1e-4)


def repeat(population: Population, target: Guarantee, *, n: int, repeats: int, copies: int = 0) -> Count:
    """Calibrate over and over, on new rows each time.

    Args:
        population: to draw from.
        target: to be guaranteed.
        n: different questions.
        repeats: how often.
        copies: of each question, named; 0: one row a question, without a name.
    """
    generator, true = np.random.default_rng(0), population.error
    if isinstance(target, MaxRegret):
        true = population.regret
    risks = []
    for seed in range(repeats):
        rows = population.draw(generator, n)
        places = np.repeat(np.arange(n), max(copies, 1))
        outcomes = two_tiers(rows.confidence[places], rows.small[places], rows.large[places])
        groups = [f"question {place}" for place in places] if copies else None
        policy = certified(outcomes, target, groups, seed)
        if policy is not None:
            assert isinstance(policy, Threshold)
            risks.append(true(policy.minimum))
    return Count(certified=len(risks), violated=sum(risk > target.alpha for risk in risks), repeats=repeats)


def certified(outcomes: Outcomes, target: Guarantee, groups: list[str] | None, seed: int) -> Policy | None:
    try:
        return calibrate(outcomes, target, groups=groups, seed=seed).policy
    except CalibrationRefused as refused:
        assert refused.reason in ("nothing-certified", "large-not-better")
        return None


@pytest.mark.slow
@pytest.mark.parametrize("copies", [0, 2], ids=["unnamed", "copies"])
@pytest.mark.parametrize("n", [100, 400, 2000])
@pytest.mark.parametrize("risk", TARGETS)
@pytest.mark.parametrize("name", POPULATIONS)
def test_guarantees_hold_over_500_calibrations(name: str, risk: str, n: int, copies: int) -> None:
    target = TARGETS[risk]
    count = repeat(POPULATIONS[name], target, n=n, repeats=500, copies=copies)
    assert not count.surely_above(target.delta), count
    if name in {"informative", "tied", "graded"} and n == 2000:
        assert count.certified > 450


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 7])
def test_guarantees_hold_for_the_one_seed_that_everybody_takes(seed: int) -> None:
    # Few kinds of rows, and the same draw every time: what is drawn must not hang on what is in a row.
    generator = np.random.default_rng(1)
    risks = []
    for _ in range(500):
        rows = replace(JUST_ABOVE, levels=2).draw(generator, 600)
        policy = certified(two_tiers(rows.confidence, rows.small, rows.large), TARGETS["error"], None, seed)
        risks += [] if policy is None else [0.1001]
    assert not Count(certified=len(risks), violated=len(risks), repeats=500).surely_above(0.1)


def three_tiers(generator: np.random.Generator, n: int, errors: tuple[float, float]) -> Outcomes:
    """Confidences that tell nothing, and a last tier that is always right."""
    small, middle = (
        Tier(name=name, quality=generator.random(n) >= error, cost=cost, confidence=generator.random(n))
        for name, error, cost in zip("ab", errors, (1, 4), strict=True)
    )
    return Outcomes(tiers=(small, middle, Tier(name="c", quality=np.ones(n), cost=20)))


def three_tier_risk(policy: Policy, target: Guarantee, errors: tuple[float, float]) -> float:
    """The risk by the two thresholds t and u: 1 - t is kept at the first tier, and t (1 - u) at the second."""
    assert isinstance(policy, PerTier)
    low, high = (each.minimum for each in policy.policies if isinstance(each, Threshold))
    kept = np.array([1.0 - low, low * (1.0 - high)])
    lost = float(kept @ errors)
    return lost / float(kept.sum()) if isinstance(target, MaxError) else lost


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("risk", TARGETS)
@pytest.mark.parametrize("errors", [(0.1001, 0.1001), (0.2, 0.05), (0.05, 0.2)])
def test_guarantees_hold_for_three_tiers(errors: tuple[float, float], risk: str, n: int) -> None:
    generator, target = np.random.default_rng(2), TARGETS[risk]
    found = [certified(three_tiers(generator, n, errors), target, None, seed) for seed in range(500)]
    risks = [three_tier_risk(policy, target, errors) for policy in found if policy is not None]
    violated = sum(risk > target.alpha for risk in risks)
    assert not Count(certified=len(risks), violated=violated, repeats=500).surely_above(target.delta)


@pytest.mark.slow
@pytest.mark.parametrize("population", [replace(constant(0.3), large_wrong=0.02), MISLEADING])
@pytest.mark.parametrize("n", [100, 400, 2000])
def test_nothing_is_certified_in_500_calibrations_where_nothing_can_be(population: Population, n: int) -> None:
    # The least error of the misleading one is that of keeping all: 0.167.
    assert repeat(population, MaxError(0.1, 0.0001), n=n, repeats=500).certified == 0


@pytest.mark.parametrize("name", ["informative", "tied", "just above"])
@pytest.mark.parametrize("risk", TARGETS)
def test_guarantees_hold(name: str, risk: str) -> None:
    count = repeat(POPULATIONS[name], TARGETS[risk], n=300, repeats=25)
    assert not count.surely_above(0.1)
    if name != "just above" or risk == "regret":
        assert count.certified > 12


def test_nothing_is_certified_where_nothing_can_be() -> None:
    assert repeat(MISLEADING, MaxError(0.1, 0.001), n=300, repeats=20).certified == 0
    # 31 questions leave 22 to certify, and 30 leave 21, however many copies there are of each.
    perfect = constant(0.0)
    assert repeat(replace(perfect, large_wrong=0.0), TARGETS["error"], n=30, repeats=3, copies=5).certified == 0


def test_choosing_and_certifying_on_the_same_rows_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def reused(places: np.ndarray, *, selection_share: float) -> Split:
        everything = np.arange(places.size)
        return Split(selection=everything, certification=everything)

    monkeypatch.setattr("automix_graph.calibration.certified.split_places", reused)
    assert repeat(JUST_ABOVE, TARGETS["error"], n=1000, repeats=60).surely_above(0.1)
