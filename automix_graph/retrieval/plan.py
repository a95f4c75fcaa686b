"""Which type of index a store searches with, by a rule of size and recall.

Knows numbers and names, no vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from automix_graph.errors import ConfigurationError

IndexType = Literal["flat", "hnsw", "ivf", "ivf_sq8"]
"""Flat compares with all vectors, HNSW walks a graph, IVF looks into the nearest cells, SQ8 has a byte a component."""

ApproximateType = Literal["hnsw", "ivf", "ivf_sq8"]
"""The types that are built, beside the vectors themselves."""

IndexChoice = Literal["auto", "flat", "hnsw", "ivf", "ivf_sq8"]
"""A type, or the rule of `IndexPlan.type_for`."""

INDEX_CHOICES: Final[tuple[IndexChoice, ...]] = get_args(IndexChoice)
"""What an `IndexPlan` takes as ``index_type``."""

DEFAULT_RECALL: Final = 0.95

FLAT_BELOW: Final = 50_000
"""Vectors that are compared one by one as fast as a question is embedded: about 10 ms a core (docs/store.md)."""

EXACT_FROM: Final = 0.999
"""A recall target above which no approximate index pays."""


@dataclass(frozen=True, kw_only=True)
class IndexPlan:
    """What is wanted of the index of a store.

    Attributes:
        index_type: a type, or ``"auto"``.
        recall_target: share of the ten nearest passages that a question shall find, in (0, 1]; approximate types are
            tuned to it when they are built, with some reserve, by vectors drawn around the store's own.

    Example:
        >>> IndexPlan().type_for(2_000), IndexPlan().type_for(1_000_000), IndexPlan(recall_target=1.0).type_for(10**6)
        ('flat', 'ivf_sq8', 'flat')
    """

    index_type: IndexChoice = "auto"
    recall_target: float = DEFAULT_RECALL

    def __post_init__(self) -> None:
        if self.index_type not in INDEX_CHOICES:
            raise ConfigurationError(f"unknown index_type {self.index_type!r}; known are {', '.join(INDEX_CHOICES)}")
        if not isinstance(self.recall_target, int | float) or not 0.0 < self.recall_target <= 1.0:
            raise ConfigurationError(f"recall_target is {self.recall_target!r}; it must be a number in (0, 1]")

    def type_for(self, n: int) -> IndexType:
        """Return the type for n vectors.

        ``"auto"`` is flat below `FLAT_BELOW` vectors and from a recall target of `EXACT_FROM`, else ``"ivf_sq8"``.
        """
        if self.index_type != "auto":
            return self.index_type
        return "flat" if n < FLAT_BELOW or self.recall_target >= EXACT_FROM else "ivf_sq8"


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """How an index is searched, and what that was measured to give.

    Attributes:
        type: of the index.
        last: largest number in it; larger ones came later.
        count: vectors in it.
        effort: cells looked into (IVF) or candidates kept (HNSW) in a search.
        recall: share of the 10 nearest that are found with this effort by vectors drawn around the store's own.
        recall_target: what was wanted.
    """

    type: ApproximateType
    last: int
    count: int
    effort: int
    recall: float
    recall_target: float
