"""What every tier did with every question, as columns: the table that all measures of cascades are worked out from.

A reader of some file makes an `Outcomes`; the measures know no file. Nothing may be missing: whoever reads leaves out
questions without a confidence, and counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, numbers, same_length


@dataclass(frozen=True, init=False, eq=False)
class Tier:
    """One model, with what its answers were worth and what they cost.

    Attributes:
        name: for reports.
        quality: of its answers, shape (n,), in [0, 1]; 0 and 1 where answers are wrong or right.
        cost: of its answers, shape (n,), at least 0, in any one unit for all tiers; a single number holds for all.
        confidence: of the verification that they are right, shape (n,), in [0, 1]; None for the last tier, which
            nobody verifies.
        verify_cost: of that verification, shape (n,), at least 0; a single number holds for all.

    Raises:
        ValueError: a column is empty or holds what it may not, or they differ in length.

    Example:
        >>> Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.15).cost
        array([1., 1.])
    """

    name: str
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    confidence: NDArray[np.float64] | None
    verify_cost: NDArray[np.float64]

    def __init__(
        self,
        *,
        name: str,
        quality: ArrayLike,
        cost: ArrayLike,
        confidence: ArrayLike | None = None,
        verify_cost: ArrayLike = 0.0,
    ) -> None:
        good = fractions(f"quality of tier {name!r}", quality)
        sure = None if confidence is None else fractions(f"confidence of tier {name!r}", confidence)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "quality", good)
        object.__setattr__(self, "cost", _costs(f"cost of tier {name!r}", cost, good.size))
        object.__setattr__(self, "confidence", sure)
        object.__setattr__(self, "verify_cost", _costs(f"verify cost of tier {name!r}", verify_cost, good.size))
        same_length({"quality": good, "cost": self.cost, "verify_cost": self.verify_cost})
        if sure is not None:
            same_length({"quality": good, "confidence": sure})

    @property
    def graded(self) -> bool:
        """Whether answers may be half right: some quality is neither 0 nor 1."""
        return bool(((self.quality != 0.0) & (self.quality != 1.0)).any())

    def take(self, rows: NDArray[np.intp]) -> Tier:
        """Return the tier with these questions only, in this order; a question may come more than once."""
        return Tier(
            name=self.name,
            quality=self.quality[rows],
            cost=self.cost[rows],
            confidence=None if self.confidence is None else self.confidence[rows],
            verify_cost=self.verify_cost[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What every tier did with every question.

    Attributes:
        tiers: cheapest first, at least two, with the same questions in the same order. All but the last have a
            confidence.

    Raises:
        ValueError: there are fewer than two tiers, they differ in length, two have the same name, or a confidence is
            missing or has no use.

    Example:
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.15)
        >>> Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20))).n
        2
    """

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        if len(self.tiers) < 2:
            raise ValueError(f"a cascade has at least two tiers; {len(self.tiers)} given")
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            raise ValueError(f"the tiers are called {names!r}; give each a name of its own")
        same_length({f"tier {tier.name!r}": tier.quality for tier in self.tiers})
        for tier in self.tiers[:-1]:
            if tier.confidence is None:
                raise ValueError(f"tier {tier.name!r} has no confidence; all but the last tier need one")
        if self.tiers[-1].confidence is not None:
            raise ValueError(
                f"tier {names[-1]!r} is the last one, and its answers are never verified; leave its confidence out"
            )

    @property
    def n(self) -> int:
        """How many questions there are."""
        return self.small.quality.size

    @property
    def small(self) -> Tier:
        """The cheapest tier."""
        return self.tiers[0]

    @property
    def large(self) -> Tier:
        """The dearest tier."""
        return self.tiers[-1]

    def take(self, rows: NDArray[np.intp]) -> Outcomes:
        """Return the outcomes of these questions only, in this order; a question may come more than once."""
        return Outcomes(tiers=tuple(tier.take(rows) for tier in self.tiers))

    def by_confidence(self) -> Outcomes:
        """Return the same outcomes with the questions in order of rising confidence in the cheapest tier."""
        return self.take(np.argsort(confidence_of(self.small), kind="stable"))


def confidence_of(tier: Tier) -> NDArray[np.float64]:
    """Return the confidences of a tier that is verified."""
    return cast("NDArray[np.float64]", tier.confidence)


def _costs(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    column = numbers(name, np.full(n, values) if np.ndim(values) == 0 else values)
    bad = np.flatnonzero((column < 0) | np.isinf(column))
    if bad.size:
        raise ValueError(f"{name} holds {float(column[bad[0]])!r} at row {bad[0]}; give costs of 0 or more")
    return column
