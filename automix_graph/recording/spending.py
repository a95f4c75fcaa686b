"""What recording has cost: the calls of the questions and those of the scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from automix_graph.costs import total_cost
from automix_graph.records import Recorded


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Money and time.

    Attributes:
        cost: in USD; None where a price or a token count is unknown.
        at_least: sum of the costs that are known, in USD.
        seconds: in model calls; calls that ran at one time are added up.

    Example:
        >>> Spent(cost=0.5, at_least=0.5) + Spent(cost=None, at_least=0.25)
        Spent(cost=None, at_least=0.75, seconds=0.0)
    """

    cost: float | None = 0.0
    at_least: float = 0.0
    seconds: float = 0.0

    @classmethod
    def on(cls, recorded: Recorded) -> Self:
        """Return what was spent on a question, its scoring included."""
        calls = (*(recorded.record.calls if recorded.record else ()), *recorded.scoring)
        return cls(
            cost=total_cost(calls),
            at_least=sum(call.cost or 0.0 for call in calls),
            seconds=sum(call.seconds for call in calls),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            cost=None if self.cost is None or other.cost is None else self.cost + other.cost,
            at_least=self.at_least + other.at_least,
            seconds=self.seconds + other.seconds,
        )
