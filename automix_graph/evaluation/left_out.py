"""What of a source is not evaluated, and why. Nothing is ever left out in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

Reason = str
"""``"failed"``, ``"no small answer"`` (and so on), ``"not verified"``, ``"not scored"`` or ``"unknown cost"``."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Questions that are not evaluated, and those that are without a part of their cost.

    Attributes:
        ids: of the questions that are not evaluated, by reason; reasons that hold for none are not there.
        uncharged: ids of questions that are evaluated although a call that failed told no tokens: their costs are at
            least what is counted.

    Example:
        >>> left_out = LeftOut.of([("q7", "failed"), ("q9", "not scored"), ("q8", "failed")])
        >>> left_out.n, left_out.counts
        (3, {'failed': 2, 'not scored': 1})
    """

    ids: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)
    uncharged: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[str, Reason]], uncharged: Iterable[str] = ()) -> Self:
        """Gather questions by reason."""
        ids: dict[Reason, tuple[str, ...]] = {}
        for question, reason in rows:
            ids[reason] = (*ids.get(reason, ()), question)
        return cls(ids=ids, uncharged=tuple(uncharged))

    @property
    def n(self) -> int:
        """How many are not evaluated."""
        return sum(self.counts.values())

    @property
    def counts(self) -> dict[Reason, int]:
        """How many are not evaluated, by reason."""
        return {reason: len(ids) for reason, ids in self.ids.items()}
