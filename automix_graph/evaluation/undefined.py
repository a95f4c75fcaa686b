"""Measures that some data leave undefined say so, with the reason, in place of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NOTHING: Final = 1e-12
"""Differences of means up to here come from rounding."""


@dataclass(frozen=True)
class Undefined:
    """A measure without a value.

    Attributes:
        reason: why there is none, for people.

    Example:
        >>> Undefined("nothing was escalated").reason
        'nothing was escalated'
    """

    reason: str


Measured = float | Undefined
"""The value of a measure, or why it has none."""


def value_of(measured: Measured) -> float | None:
    """Return the value, or None where the measure is undefined.

    Example:
        >>> value_of(0.5), value_of(Undefined("nothing was escalated"))
        (0.5, None)
    """
    return None if isinstance(measured, Undefined) else measured


def only_two_tiers(tiers: int) -> Undefined:
    """Return why a measure of one small and one large model is undefined for more tiers."""
    return Undefined(f"it is defined for two tiers, and there are {tiers}")
