"""What a policy is to achieve, as values, and how each target chooses among rules whose quality and cost are known.

Two of them are guarantees, which choose nothing here: `certified` tests rules for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.levels import require_level
from automix_graph.errors import ConfigurationError

_SLACK: Final = 1e-9
"""Relative; sums of the same costs in another order must not decide."""


@dataclass(frozen=True)
class MaxCost:
    """Spend no more than so much a question in the mean, and get the best quality for it.

    Attributes:
        cost: the budget, in the unit of the outcomes, at least 0.

    Raises:
        ConfigurationError: it is no such number.

    Example:
        >>> MaxCost(10).pick(np.array([0.7, 0.8, 0.9]), np.array([1.0, 8.0, 20.0]))
        1
    """

    cost: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cost) and self.cost >= 0.0):
            raise ConfigurationError(f"the budget is {self.cost!r}; use a finite cost a question of at least 0")

    @property
    def name(self) -> str:
        """In words."""
        return f"the best quality for a cost of at most {self.cost:.6g} a question"

    def pick(self, quality: NDArray[np.float64], cost: NDArray[np.float64]) -> int:
        """Return the position of the best rule, shape (m,) each; if none meets the target, of the cheapest."""
        allowed = cost <= max(self.cost * (1 + _SLACK), float(cost.min()))
        return _best(quality, -cost, allowed)

    def met(self, quality: float, cost: float) -> bool:
        """Return whether a rule of this mean quality and cost meets the target."""
        return cost <= self.cost * (1 + _SLACK)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"target": "max-cost", "cost": self.cost}


@dataclass(frozen=True)
class MinQuality:
    """Reach this quality in the mean, and spend as little as possible.

    Attributes:
        quality: the floor, in [0, 1].

    Raises:
        ConfigurationError: it is no such number.

    Example:
        >>> MinQuality(0.75).pick(np.array([0.7, 0.8, 0.9]), np.array([1.0, 8.0, 20.0]))
        1
    """

    quality: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.quality <= 1.0:
            raise ConfigurationError(f"the quality floor is {self.quality!r}; use a number in [0, 1]")

    @property
    def name(self) -> str:
        """In words."""
        return f"the least cost for a quality of at least {self.quality:.6g}"

    def pick(self, quality: NDArray[np.float64], cost: NDArray[np.float64]) -> int:
        """Return the position of the best rule, shape (m,) each; or of that of the best quality."""
        allowed = quality >= min(self.quality * (1 - _SLACK), float(quality.max()))
        return _best(-cost, quality, allowed)

    def met(self, quality: float, cost: float) -> bool:
        """Return whether a rule of this mean quality and cost meets the target."""
        return quality >= self.quality * (1 - _SLACK)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"target": "min-quality", "quality": self.quality}


@dataclass(frozen=True)
class PriceOfError:
    """Make cost + price * (1 - quality) as small as possible: what a wrong answer costs is known.

    Attributes:
        price: of an answer that is worth nothing, in the unit of the costs, above 0.

    Raises:
        ConfigurationError: it is no such number.

    Example:
        >>> PriceOfError(100).pick(np.array([0.7, 0.8, 0.9]), np.array([1.0, 8.0, 20.0]))
        1
    """

    price: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.price) and self.price > 0.0):
            raise ConfigurationError(f"the price of an error is {self.price!r}; use a finite cost above 0")

    @property
    def name(self) -> str:
        """In words."""
        return f"the least cost where an error costs {self.price:.6g}"

    @property
    def lam(self) -> float:
        """What a unit of cost is worth in quality."""
        return 1.0 / self.price

    def pick(self, quality: NDArray[np.float64], cost: NDArray[np.float64]) -> int:
        """Return the position of the best rule, shape (m,) each."""
        return _best(-(cost + self.price * (1.0 - quality)), -cost, np.ones(quality.size, dtype=np.bool_))

    def met(self, quality: float, cost: float) -> bool:
        """Return whether a rule of this mean quality and cost meets the target: any does."""
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"target": "price-of-error", "price": self.price}


@dataclass(frozen=True)
class MaxError:
    """Guarantee that kept answers of the small model are wrong no more often than alpha, with confidence 1 - delta.

    Attributes:
        alpha: mean loss, 1 - quality, of an answer that is kept, in (0, 1).
        delta: the probability, in (0, 1), with which the guarantee may fail.

    Raises:
        ConfigurationError: a level lies outside (0, 1).

    Example:
        >>> MaxError(0.1, 0.05).name
        'an error of at most 0.1 among kept answers, with confidence 0.95'
    """

    alpha: float
    delta: float

    def __post_init__(self) -> None:
        _check_levels(self.alpha, self.delta)

    @property
    def name(self) -> str:
        """In words."""
        return f"an error of at most {self.alpha:g} among kept answers, with confidence {1 - self.delta:g}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"target": "max-error", "alpha": self.alpha, "delta": self.delta}


@dataclass(frozen=True)
class MaxRegret:
    """Guarantee that no more than alpha a question is lost against always asking the large model, likewise.

    Attributes:
        alpha: mean of max(large - small quality, 0) over all questions, 0 where the small answer is not kept.
        delta: the probability, in (0, 1), with which the guarantee may fail.

    Raises:
        ConfigurationError: a level lies outside (0, 1).

    Example:
        >>> MaxRegret(0.02, 0.1).name
        'a regret of at most 0.02 against always asking the large model, with confidence 0.9'
    """

    alpha: float
    delta: float

    def __post_init__(self) -> None:
        _check_levels(self.alpha, self.delta)

    @property
    def name(self) -> str:
        """In words."""
        return (
            f"a regret of at most {self.alpha:g} against always asking the large model, with confidence "
            f"{1 - self.delta:g}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"target": "max-regret", "alpha": self.alpha, "delta": self.delta}


Expectation = MaxCost | MinQuality | PriceOfError
"""Targets for what is to be expected; nothing is guaranteed."""
Guarantee = MaxError | MaxRegret
"""Targets that are kept with a stated confidence."""
Target = Expectation | Guarantee
"""All of them."""


def _check_levels(alpha: float, delta: float) -> None:
    require_level("alpha", alpha)
    require_level("delta", delta)


def _best(first: NDArray[np.float64], second: NDArray[np.float64], allowed: NDArray[np.bool_]) -> int:
    """Return the allowed position with the largest ``first``, of equals with the largest ``second``."""
    top = allowed & (first >= first[allowed].max() - _SLACK * (1.0 + abs(float(first[allowed].max()))))
    return int(np.argmax(np.where(top, second, -np.inf)))
