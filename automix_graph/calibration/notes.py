"""What should be known about a calibrated policy before it is used: where asking one model alone would do better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from automix_graph.calibration.targets import MaxCost, MinQuality, PriceOfError

if TYPE_CHECKING:
    from automix_graph.calibration.calibration import Alone, Calibration


def notes_on(calibration: Calibration) -> tuple[str, ...]:
    """Return sentences, none where there is nothing to say."""
    return (*_extremes(calibration), *_alone(calibration))


def _extremes(calibration: Calibration) -> Iterator[str]:
    escalated = calibration.expected.escalated.estimate or 0.0
    if escalated == 0.0:
        yield "Nothing escalates: asking the first model alone, without verification, does the same for less."
    if escalated == 1.0:
        yield "Everything escalates: asking the large model alone does the same for less."


def _alone(calibration: Calibration) -> Iterator[str]:
    quality, cost = calibration.expected.quality.estimate, calibration.expected.cost.estimate
    assert quality is not None
    assert cost is not None
    for tier in calibration.alone:
        told = f"quality {tier.quality:.4f}, cost {tier.cost:.6g}"
        if tier.quality >= quality and tier.cost <= cost:
            yield f"Asking {tier.tier!r} alone is at least as good and costs no more ({told})."
        elif _meets(calibration, tier, quality, cost):
            yield f"Asking {tier.tier!r} alone serves the target better ({told})."
        elif tier is calibration.alone[-1] and tier.cost <= cost:
            yield f"Nothing is saved: asking {tier.tier!r} alone costs no more ({told})."


def _meets(calibration: Calibration, tier: Alone, quality: float, cost: float) -> bool:
    """Return whether a tier alone serves the target of a calibration better than its policy does."""
    match calibration.target:
        case MaxCost(cost=budget):
            return tier.cost <= budget and tier.quality > quality
        case MinQuality(quality=floor):
            return tier.quality >= floor and tier.cost < cost
        case PriceOfError(price=price):
            return tier.cost - price * tier.quality < cost - price * quality
        case _:
            return False
