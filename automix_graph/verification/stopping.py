"""When no vote that is still to come can change a decision. Counts in, counts out: it knows no model and no policy."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

_OPEN: Final = object()
"""What no decision is equal to."""


class Tally(NamedTuple):
    """How many votes said what."""

    correct: int
    incorrect: int
    unparsed: int

    def next(self) -> tuple[Tally, Tally, Tally]:
        """Return what one more vote can make of it."""
        correct, incorrect, unparsed = self
        return (
            Tally(correct + 1, incorrect, unparsed),
            Tally(correct, incorrect + 1, unparsed),
            Tally(correct, incorrect, unparsed + 1),
        )


class Stopping:
    """Says how many more votes a decision takes at least.

    A decision is settled where every way in which the remaining votes can fall leads to the same one, and the votes so
    far by themselves lead to it too. So it is the decision that all votes would have led to, whatever the rule behind
    it: nothing is assumed of the rule but that it is a function of the tally.

    Args:
        samples: how many votes there are to be had.
        decide: the decision on a tally of any size up to that; any values that can be compared.

    Example:
        >>> stopping = Stopping(3, lambda tally: tally.correct >= 2)
        >>> stopping.needed(Tally(0, 0, 0)), stopping.needed(Tally(1, 1, 0)), stopping.needed(Tally(2, 0, 0))
        (2, 1, 0)
    """

    def __init__(self, samples: int, decide: Callable[[Tally], Hashable]) -> None:
        self._samples = samples
        self._decide = decide
        self._decisions: dict[Tally, Hashable] = {}
        self._ends: dict[Tally, Hashable] = {}

    def needed(self, tally: Tally) -> int:
        """Return the least number of further votes after which the decision can be settled; 0 where it is."""
        reachable = {tally}
        for votes in range(self._samples - sum(tally)):
            if any(map(self._settled, reachable)):
                return votes
            reachable = {later for earlier in reachable for later in earlier.next()}
        return self._samples - sum(tally)

    def _settled(self, tally: Tally) -> bool:
        return self._end(tally) == self._decision(tally)

    def _end(self, tally: Tally) -> Hashable:
        """Return the decision that every end of the vote leads to; `_OPEN` where they differ."""
        if tally not in self._ends:
            self._ends[tally] = self._work_out(tally)
        return self._ends[tally]

    def _work_out(self, tally: Tally) -> Hashable:
        if sum(tally) == self._samples:
            return self._decision(tally)
        first, *others = tally.next()
        end = self._end(first)
        return end if all(self._end(other) == end for other in others) else _OPEN

    def _decision(self, tally: Tally) -> Hashable:
        if tally not in self._decisions:
            self._decisions[tally] = self._decide(tally)
        return self._decisions[tally]
