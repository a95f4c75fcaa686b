"""The facts of a calibration, as its policy file holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from automix_graph.calibration.calibration import Calibration
from automix_graph.evaluation.outcomes import Outcomes
from automix_graph.policies import MadeFor, Provenance


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What outcomes do not tell of where they come from.

    Attributes:
        made_for: models, prompts and verifier; None where nobody knows them.
        data: about the data, as JSON values, such as the name and the sha256 sum of the file.
        prices: USD per million tokens (input, output, cached input) by model; None where costs were given.
    """

    made_for: MadeFor | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, tuple[float | None, ...]] | None = None


def provenance_of(calibration: Calibration, outcomes: Outcomes, origin: Origin | None = None) -> Provenance:
    """Return what is to be kept with a calibrated policy, dated now.

    Args:
        calibration: of the policy.
        outcomes: that it was calibrated on.
        origin: of these.
    """
    origin = origin or Origin()
    found = calibration.as_dict()
    told = {name: value for name, value in found.items() if name not in {"policy", "keeps", "by_confidence"}}
    return Provenance(
        made_for=origin.made_for,
        facts={
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "software": f"automix-graph {version('automix-graph')}",
            "data": dict(origin.data),
            "tiers": [tier.name for tier in outcomes.tiers],
            "costs": _costs(outcomes, origin),
            **told,
        },
    )


def _costs(outcomes: Outcomes, origin: Origin) -> dict[str, Any]:
    prices = origin.prices
    return {
        "unit": outcomes.unit,
        "prices": None if prices is None else {name: list(price) for name, price in prices.items()},
        "mean": {tier.name: float(tier.cost.mean()) for tier in outcomes.tiers},
        "mean_verification": {tier.name: float(tier.verify_cost.mean()) for tier in outcomes.tiers[:-1]},
    }
