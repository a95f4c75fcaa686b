"""What passes between a collection, its changes and its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automix_graph.retrieval.plan import Tuned


@dataclass(frozen=True, kw_only=True)
class Applied:
    """How many passages a change removed and added; a replaced one counts in both."""

    removed: int
    added: int


@dataclass(frozen=True, kw_only=True)
class PublishedStore:
    """The files of a saved store.

    Attributes:
        passages: the SQLite file.
        vectors: the vectors.
        index: the approximate index and its tuning; None where there is none.
    """

    passages: Path
    vectors: Path
    index: tuple[Path, Tuned] | None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A state of a collection: its number of passages, and how often it was changed."""

    count: int
    changes: int
