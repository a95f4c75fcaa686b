"""What escalating each question was worth: the columns that policies for two tiers are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, numbers, same_length
from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True, eq=False)
class Gains:
    """Columns of two tiers, checked.

    Attributes:
        confidence: shape (n,), in [0, 1].
        small: quality of the small answers, shape (n,), in [0, 1].
        large: quality of the large answers, shape (n,), in [0, 1].
        cost: of escalating, shape (n,), at least 0.
        lam: what a unit of cost is worth in quality.
    """

    confidence: NDArray[np.float64]
    small: NDArray[np.float64]
    large: NDArray[np.float64]
    cost: NDArray[np.float64]
    lam: float

    @classmethod
    def of(cls, confidence: ArrayLike, *, small: ArrayLike, large: ArrayLike, cost: ArrayLike, lam: float) -> Gains:
        """Check columns.

        Raises:
            ConfigurationError: one is empty or holds what it may not, they differ in length, or ``lam`` is out of
                range.
        """
        sure = fractions("confidence", confidence)
        columns = {
            "confidence": sure,
            "small": fractions("small", small),
            "large": fractions("large", large),
            "cost": numbers("cost", np.full(sure.size, cost) if np.ndim(cost) == 0 else cost),
        }
        same_length(columns)
        require_charges(columns["cost"], lam)
        return cls(lam=lam, **columns)


def require_charges(costs: NDArray[np.float64], lam: float) -> None:
    """Refuse what is no cost, or no worth of one.

    Raises:
        ConfigurationError: a cost or ``lam`` is negative or not finite.
    """
    if not np.isfinite(costs).all() or (costs < 0.0).any():
        wrong = costs[~np.isfinite(costs) | (costs < 0.0)][0]
        raise ConfigurationError(f"cost holds {float(wrong)!r}; give finite numbers of at least 0")
    if not 0.0 <= lam < np.inf:
        raise ConfigurationError(
            f"lam is {lam!r}; it is what a unit of cost is worth in quality: give a finite number of at least 0"
        )
