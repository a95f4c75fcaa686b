"""Columns of any number of tiers, checked, and the bins that their confidences fall into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import Binning, Groups, quantile_bins, question_weights, require_rows
from automix_graph.calibration.gains import require_charges
from automix_graph.columns import fractions, numbers, same_length
from automix_graph.errors import ConfigurationError
from automix_graph.policies import Bins


@dataclass(frozen=True, kw_only=True, eq=False)
class TierTable:
    """What policies for several tiers are fitted to.

    Attributes:
        bins: of the confidences, for each tier but the last.
        places: the bin of each row, for each tier but the last; each of shape (n,).
        quality: shape (tiers, n), in [0, 1].
        costs: of asking each tier.
        weights: what each row counts, shape (n,).
    """

    bins: tuple[Bins, ...]
    places: tuple[NDArray[np.intp], ...]
    quality: NDArray[np.float64]
    costs: tuple[float, ...]
    weights: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many bins each confidence has."""
        return tuple(bins.count for bins in self.bins)


def tier_table(
    confidences: Sequence[ArrayLike],
    qualities: Sequence[ArrayLike],
    *,
    costs: Sequence[float],
    lam: float,
    binning: Binning,
    groups: Groups | None,
    most_combinations: int | None = None,
) -> TierTable:
    """Check the columns of tiers, and divide their confidences.

    Args:
        confidences: of the verification of each tier but the last, shape (n,) each, in [0, 1].
        qualities: of the answers of each tier, cheapest first, shape (n,) each, in [0, 1].
        costs: of asking each tier, its verification included, at least 0.
        lam: what a unit of cost is worth in quality, at least 0.
        binning: how finely confidence is divided.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.
        most_combinations: of the bins of all tiers: where there would be more, each confidence has fewer bins, though
            two; None: any number.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length or number, a number is out
            of range, or there are too few rows.
    """
    if len(confidences) != len(qualities) - 1 or len(costs) != len(qualities) or len(qualities) < 2:
        raise ConfigurationError(
            f"there are {len(qualities)} qualities, {len(confidences)} confidences and {len(costs)} costs; give a "
            "quality and a cost for each of at least two tiers, and a confidence for each but the last"
        )
    sure = {
        f"confidence of tier {tier}": fractions(f"confidence of tier {tier}", column)
        for tier, column in enumerate(confidences)
    }
    good = {
        f"quality of tier {tier}": fractions(f"quality of tier {tier}", column) for tier, column in enumerate(qualities)
    }
    n = same_length(sure | good)
    require_charges(numbers("costs", costs), lam)
    weights = question_weights(groups, n)
    require_rows(weights, binning)
    most = binning.most
    if most_combinations is not None:
        most = min(most, max(2, int(most_combinations ** (1.0 / len(sure)) + 1e-9)))
    bins = tuple(
        quantile_bins(column, most=most, least_rows=binning.least_rows, weights=weights) for column in sure.values()
    )
    return TierTable(
        bins=bins,
        places=tuple(each.indices(column) for each, column in zip(bins, sure.values(), strict=True)),
        quality=np.stack(list(good.values())),
        costs=tuple(float(cost) for cost in costs),
        weights=weights,
    )
