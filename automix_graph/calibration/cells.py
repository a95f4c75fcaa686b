"""Rows summed up in cells of confidence, in which every rule over the same bins decides alike.

What a rule makes of a million rows is then worked out from a hundred cells, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.cascade import asking_cost
from automix_graph.evaluation.outcomes import Outcomes, confidence_of
from automix_graph.policies import Bins, ColumnPolicy, Judged, follow

_DENSE: Final = 1_000_000
"""Cells up to which all are counted, which is faster than sorting the rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Sums over rows by the bins of their confidences.

    Attributes:
        judged: of every tier but the last, one confidence for each cell, which stands for all in it.
        quality: of the answers of each tier, shape (tiers, cells).
        cost: of asking each tier, its verification included, shape (tiers, cells).
        n: all rows.
    """

    judged: tuple[Judged, ...]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    n: int

    @classmethod
    def of(cls, outcomes: Outcomes, bins: Sequence[Bins]) -> Self:
        """Sum up rows; those whose verification failed have cells of their own.

        Args:
            outcomes: of every tier.
            bins: of the confidence of each tier but the last.
        """
        shape = tuple(each.count + 1 for each in bins)
        places = [each.indices(confidence_of(tier)) for each, tier in zip(bins, outcomes.tiers[:-1], strict=True)]
        filled, cell = _compact(np.ravel_multi_index(places, shape), math.prod(shape))
        inside = np.unravel_index(filled, shape)

        def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(cell, weights=values, minlength=filled.size).astype(np.float64)

        return cls(
            judged=tuple(_standing_for(each, place) for each, place in zip(bins, inside, strict=True)),
            quality=np.stack([summed(tier.quality) for tier in outcomes.tiers]),
            cost=np.stack([summed(asking_cost(tier)) for tier in outcomes.tiers]),
            n=outcomes.n,
        )

    def measure(self, policies: Sequence[ColumnPolicy]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean quality and mean cost of a question under each policy, shape (m,) each.

        Args:
            policies: that decide alike in each cell, and limit nothing.
        """
        if len(self.judged) == 1:
            return self._measure_all(policies)
        found = np.array([self._measure(policy) for policy in policies])
        return found[:, 0], found[:, 1]

    def _measure_all(self, policies: Sequence[ColumnPolicy]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Measure policies for two tiers together, which is quicker for hundreds of them."""
        kept = np.array([policy.accepts(self.judged) for policy in policies]) & ~np.isnan(self.judged[0].confidence)
        quality = np.where(kept, self.quality[0], self.quality[1]).sum(axis=1)
        return quality / self.n, (self.cost[0].sum() + np.where(kept, 0.0, self.cost[1]).sum(axis=1)) / self.n

    def _measure(self, policy: ColumnPolicy) -> tuple[float, float]:
        paths = follow(policy, self.judged)
        kept = np.take_along_axis(self.quality, paths.end[np.newaxis], axis=0)
        return float(kept.sum()) / self.n, float(self.cost[paths.asked.T].sum()) / self.n


def _compact(cell: NDArray[np.intp], possible: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the cells that hold rows, and the position of each row's cell among them."""
    if possible > _DENSE:
        filled, place = np.unique(cell, return_inverse=True)
        return filled, place
    filled = np.flatnonzero(np.bincount(cell, minlength=possible))
    number = np.zeros(possible, dtype=np.intp)
    number[filled] = np.arange(filled.size)
    return filled, number[cell]


def _standing_for(bins: Bins, place: NDArray[np.intp]) -> Judged:
    """Return the lower end of each bin, and NaN for the place of failed verifications."""
    ends = np.array([0.0, *bins.edges, np.nan])
    confidence = ends[place]
    return Judged(confidence=confidence, correct=confidence > 0.5)
