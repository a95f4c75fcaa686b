"""Tables whose best policies are known, and a target of each kind."""

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration import MaxCost, MaxError, MaxRegret, MinQuality, PriceOfError
from automix_graph.evaluation import Outcomes, Tier
from automix_graph.records import Verdict, Verification

TARGETS = (MaxCost(8), MinQuality(0.8), PriceOfError(40), MaxError(0.2, 0.2), MaxRegret(0.05, 0.1))


def two_tiers(
    confidence: NDArray[np.float64],
    small: NDArray[np.float64],
    large: NDArray[np.float64],
    *,
    verify: float = 0.5,
    cost: float = 20.0,
) -> Outcomes:
    """A small model at 1 a question, and a large one."""
    first = Tier(name="small", quality=small, cost=1, confidence=confidence, verify_cost=verify)
    return Outcomes(tiers=(first, Tier(name="large", quality=large, cost=cost)))


def sharp(n: int = 400, *, cut: float = 0.4) -> Outcomes:
    """The small model is right exactly where the confidence is above the cut, the large one always."""
    sure = (np.arange(n) + 0.5) / n
    return two_tiers(sure, (sure > cut).astype(float), np.ones(n))


def drawn(n: int, seed: int = 0, *, large: float = 0.9) -> Outcomes:
    """The small model is right with the confidence as its probability, the large one with a fixed one."""
    generator = np.random.default_rng(seed)
    sure = generator.random(n)
    return two_tiers(sure, (generator.random(n) < sure).astype(float), (generator.random(n) < large).astype(float))


def middling(n: int, seed: int = 0) -> Outcomes:
    """Below 1/3 both models fail, above 2/3 both are right; between them only the large one is."""
    generator = np.random.default_rng(seed)
    sure = generator.random(n)
    small = np.where(sure > 2 / 3, 0.95, 0.05)
    large = np.where(sure > 1 / 3, 0.95, 0.05)
    return two_tiers(sure, (generator.random(n) < small).astype(float), (generator.random(n) < large).astype(float))


def three_tiers(n: int = 600) -> Outcomes:
    """Easy questions for all, middling ones for the two larger, hard ones for the largest; confidences tell."""
    hard = (np.arange(n) + 0.5) / n
    tiers = [
        Tier(
            name=name,
            quality=(hard < reach).astype(float),
            cost=cost,
            confidence=None if name == "c" else np.clip(0.5 + reach - hard, 0.0, 1.0),
            verify_cost=0.5,
        )
        for name, reach, cost in (("a", 0.5, 1.0), ("b", 0.8, 4.0), ("c", 1.0, 20.0))
    ]
    return Outcomes(tiers=tuple(tiers))


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
