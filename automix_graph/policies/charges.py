"""What policies that weigh quality against cost are given, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence

from automix_graph.errors import ConfigurationError


def check_charges(*, costs: Sequence[float], lam: float, abstain_below: float | None) -> None:
    """Refuse what is no cost, no worth of a cost and no quality.

    Raises:
        ConfigurationError: a cost or ``lam`` is negative or not finite, or ``abstain_below`` lies outside [0, 1].
    """
    for cost in costs:
        if not (math.isfinite(cost) and cost >= 0.0):
            raise ConfigurationError(f"cost is {cost!r}; use a finite number of at least 0")
    if not (math.isfinite(lam) and lam >= 0.0):
        raise ConfigurationError(
            f"lam is {lam!r}; it is what a unit of cost is worth in quality: use a finite number of at least 0"
        )
    if abstain_below is not None and not 0.0 <= abstain_below <= 1.0:
        raise ConfigurationError(
            f"abstain_below is {abstain_below!r}; use a quality in [0, 1], or None to never abstain"
        )
