"""What every tier did with every question, as columns: the table that all measures of cascades are worked out from.

A reader of some file makes an `Outcomes`; the measures know no file. Only one thing may be missing: the confidence of a
verification that failed. Such an answer is never kept, so that its question counts wherever answers, costs and routes
do, and is left out where confidences are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, numbers, same_length
from automix_graph.errors import ConfigurationError
from automix_graph.policies import Judged
from automix_graph.records import Verdict, Verification


@dataclass(frozen=True, init=False, eq=False)
class Tier:
    """One model, with what its answers were worth and what they cost.

    Attributes:
        name: for reports.
        quality: of its answers, shape (n,), in [0, 1]; 0 and 1 where answers are wrong or right.
        cost: of its answers where the cascade asks for them, shape (n,), at least 0, in any one unit for all tiers; a
            single number holds for all.
        alone_cost: of its answers where nothing else was asked before, shape (n,): more than ``cost`` where a prompt
            cache serves an answer after its verification. Default: ``cost``.
        confidence: of the verification that they are right, shape (n,), in [0, 1], and NaN where it failed; None for
            the last tier, which nobody verifies.
        correct: whether the verdict was CORRECT, shape (n,); of confidences alone, where they are above 0.5.
        verify_cost: of that verification, shape (n,), at least 0; a single number holds for all.
        verifications: shape (n,), as they were recorded, if they were; confidence and verdict are then theirs.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or both ``confidence``
            and ``verifications`` are given.

    Example:
        >>> Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.15).cost
        array([1., 1.])
    """

    name: str
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    alone_cost: NDArray[np.float64]
    confidence: NDArray[np.float64] | None
    correct: NDArray[np.bool_] | None
    verify_cost: NDArray[np.float64]
    verifications: NDArray[np.object_] | None

    def __init__(
        self,
        *,
        name: str,
        quality: ArrayLike,
        cost: ArrayLike,
        alone_cost: ArrayLike | None = None,
        confidence: ArrayLike | None = None,
        verify_cost: ArrayLike = 0.0,
        verifications: Sequence[Verification] | None = None,
    ) -> None:
        if confidence is not None and verifications is not None:
            raise ConfigurationError(f"tier {name!r} has both a confidence and verifications; the confidence is theirs")
        good = fractions(f"quality of tier {name!r}", quality)
        asked = _costs(f"cost of tier {name!r}", cost, good.size)
        alone = asked if alone_cost is None else _costs(f"alone cost of tier {name!r}", alone_cost, good.size)
        columns: dict[str, NDArray[Any] | None] = {
            "quality": good,
            "cost": asked,
            "alone_cost": alone,
            "verify_cost": _costs(f"verify cost of tier {name!r}", verify_cost, good.size),
            **_judgements(name, confidence, verifications),
        }
        object.__setattr__(self, "name", name)
        for key, column in columns.items():
            if column is not None:
                same_length({"quality": good, key: column})
            object.__setattr__(self, key, column)

    @property
    def graded(self) -> bool:
        """Whether answers may be half right: some quality is neither 0 nor 1."""
        return bool(((self.quality != 0.0) & (self.quality != 1.0)).any())

    def take(self, rows: NDArray[np.intp]) -> Tier:
        """Return the tier with these questions only, in this order; a question may come more than once."""
        # Past the constructor: the columns have been checked, and resampling takes them thousands of times.
        taken = object.__new__(Tier)
        for key, column in vars(self).items():
            object.__setattr__(taken, key, column[rows] if isinstance(column, np.ndarray) else column)
        return taken


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What every tier did with every question.

    Attributes:
        tiers: cheapest first, at least two, with the same questions in the same order. All but the last have a
            confidence.
        ids: of the questions, where they are known.
        unit: of all costs, for people; None where nobody said.

    Raises:
        ConfigurationError: there are fewer than two tiers, they differ in length, two have the same name, or a
            confidence is missing or has no use.

    Example:
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.15)
        >>> Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20))).n
        2
    """

    tiers: tuple[Tier, ...]
    ids: tuple[str, ...] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        if len(self.tiers) < 2:
            raise ConfigurationError(f"a cascade has at least two tiers; {len(self.tiers)} given")
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            raise ConfigurationError(f"the tiers are called {names!r}; give each a name of its own")
        named: dict[str, Any] = {} if self.ids is None else {"ids": self.ids}
        same_length({f"tier {tier.name!r}": tier.quality for tier in self.tiers} | named)
        for tier in self.tiers[:-1]:
            if tier.confidence is None:
                raise ConfigurationError(f"tier {tier.name!r} has no confidence; all but the last tier need one")
        if self.tiers[-1].confidence is not None:
            raise ConfigurationError(
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

    @property
    def verifications(self) -> tuple[tuple[Verification, ...], ...] | None:
        """For each question its verifications, cheapest tier first; None where they were not recorded."""
        columns = [tier.verifications for tier in self.tiers[:-1]]
        recorded = [column for column in columns if column is not None]
        return tuple(zip(*recorded, strict=True)) if len(recorded) == len(columns) else None

    def take(self, rows: NDArray[np.intp]) -> Outcomes:
        """Return the outcomes of these questions only, in this order; a question may come more than once."""
        ids = None if self.ids is None else tuple(self.ids[row] for row in rows)
        return Outcomes(tiers=tuple(tier.take(rows) for tier in self.tiers), ids=ids, unit=self.unit)


def confidence_of(tier: Tier) -> NDArray[np.float64]:
    """Return the confidences of a tier that is verified, shape (n,); NaN where the verification failed."""
    return cast("NDArray[np.float64]", tier.confidence)


def judged_of(tier: Tier) -> Judged:
    """Return what a policy that decides about many questions sees of a tier that is verified."""
    return Judged(confidence=confidence_of(tier), correct=cast("NDArray[np.bool_]", tier.correct))


def has_judgement(tier: Tier) -> NDArray[np.bool_]:
    """Return whether the verification came to a judgement, shape (n,)."""
    return ~np.isnan(confidence_of(tier))


def escalation_order(tier: Tier) -> NDArray[np.float64]:
    """Return the confidences, and minus infinity where the verification failed: these questions escalate first."""
    return np.where(has_judgement(tier), confidence_of(tier), -np.inf)


def _judgements(
    name: str, confidence: ArrayLike | None, verifications: Sequence[Verification] | None
) -> dict[str, NDArray[Any] | None]:
    if verifications is None:
        sure = None if confidence is None else fractions(f"confidence of tier {name!r}", confidence)
        return {"confidence": sure, "correct": None if sure is None else sure > 0.5, "verifications": None}
    found = np.empty(len(verifications), dtype=np.object_)
    found[:] = verifications
    return {
        "confidence": np.array([np.nan if v.confidence is None else v.confidence for v in verifications]),
        "correct": np.array([v.verdict is Verdict.CORRECT for v in verifications], dtype=np.bool_),
        "verifications": found,
    }


def _costs(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    column = numbers(name, np.full(n, values) if np.ndim(values) == 0 else values)
    bad = np.flatnonzero((column < 0) | np.isinf(column))
    if bad.size:
        raise ConfigurationError(f"{name} holds {float(column[bad[0]])!r} at row {bad[0]}; give costs of 0 or more")
    return column
