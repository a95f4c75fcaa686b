"""Which columns of a table say what a tier did, and the outcomes that they make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes, Tier
from automix_graph.evaluation.tables import read_columns

TIER_SYNTAX: Final = "NAME:QUALITY_COLUMN:COST[:CONFIDENCE_COLUMN]"

Cost = float | str
"""A number for all questions, or the name of a column."""


@dataclass(frozen=True, kw_only=True)
class TierColumns:
    """The columns of one tier.

    Attributes:
        name: of the tier.
        quality: column of the quality of its answers.
        cost: of an answer: a number, or a column.
        confidence: column of the confidence of the verification; None for the last tier.

    Example:
        >>> TierColumns.parse("small:s_ok:1:s_conf")
        TierColumns(name='small', quality='s_ok', cost=1.0, confidence='s_conf')
    """

    name: str
    quality: str
    cost: Cost
    confidence: str | None = None

    @classmethod
    def parse(cls, text: str) -> TierColumns:
        """Read ``NAME:QUALITY_COLUMN:COST[:CONFIDENCE_COLUMN]``.

        Raises:
            ConfigurationError: the text has another form.
        """
        parts = [part.strip() for part in text.split(":")]
        if len(parts) not in {3, 4} or not all(parts):
            raise ConfigurationError(
                f"tier {text!r} cannot be read; write {TIER_SYNTAX}, such as small:small_ok:1:small_confidence, and "
                "without the last part for the last tier",
                code="table",
            )
        return cls(
            name=parts[0], quality=parts[1], cost=parse_cost(parts[2]), confidence=parts[3] if parts[3:] else None
        )


def parse_cost(text: str) -> Cost:
    """Return the number that a text is, else the text as the name of a column.

    Raises:
        ConfigurationError: the number is negative, infinite or NaN.

    Example:
        >>> parse_cost("0.15"), parse_cost("usd")
        (0.15, 'usd')
    """
    try:
        cost = float(text)
    except ValueError:
        return text
    if not (math.isfinite(cost) and cost >= 0.0):
        raise ConfigurationError(
            f"cost {text!r} cannot be used; give a number of 0 or more, or the name of a column", code="table"
        )
    return cost


def read_outcomes(path: Path, tiers: Sequence[TierColumns], verify_cost: Cost = 0.0) -> Outcomes:
    """Read what every tier did from a table.

    Args:
        path: of a table that `read_columns` reads.
        tiers: cheapest first, at least two; all but the last with a confidence.
        verify_cost: of one verification, the same for all tiers: a number, or a column.

    Raises:
        ConfigurationError: the table, a column, or the order of the tiers cannot be used.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.
    """
    names = [name for tier in tiers for name in (tier.quality, tier.cost, tier.confidence)] + [verify_cost]
    columns = read_columns(path, [name for name in names if isinstance(name, str)])
    try:
        found = Outcomes(tiers=tuple(_tier(tier, columns, verify_cost) for tier in tiers))
    except ConfigurationError as error:
        raise ConfigurationError(
            f"table {str(path)!r} cannot be evaluated (rows count from 0): {error}", code="table"
        ) from error
    _check_order(found)
    return found


def _tier(tier: TierColumns, columns: Mapping[str, NDArray[np.float64]], verify_cost: Cost) -> Tier:
    def cost_of(cost: Cost) -> ArrayLike:
        return columns[cost] if isinstance(cost, str) else cost

    return Tier(
        name=tier.name,
        quality=columns[tier.quality],
        cost=cost_of(tier.cost),
        confidence=None if tier.confidence is None else columns[tier.confidence],
        verify_cost=0.0 if tier.confidence is None else cost_of(verify_cost),
    )


def _check_order(outcomes: Outcomes) -> None:
    means = {tier.name: float(tier.cost.mean()) for tier in outcomes.tiers}
    if list(means.values()) != sorted(means.values()):
        told = ", ".join(f"{name!r} {mean:g}" for name, mean in means.items())
        raise ConfigurationError(
            f"the tiers are not in order of cost (means: {told}); give the cheapest first", code="table"
        )
