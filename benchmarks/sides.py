"""Two sides of a measurement, in turn in one run: medians, and the ratio of the sides with an interval.

The sides alternate within each round, so that whatever else the machine does falls on both. The ratio is that of the
totals of a round; what is reported is its median over the rounds, with a percentile bootstrap interval of that median.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_RESAMPLES: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of a comparison.

    Attributes:
        ours: median seconds of our side.
        peer: median seconds of the other side.
        ratio: median of ours / peer over the rounds.
        low: lower end of its 95 % interval.
        high: upper end.
        rounds: how many there were.
    """

    ours: float
    peer: float
    ratio: float
    low: float
    high: float
    rounds: int


def compared(ours: Sequence[float], peer: Sequence[float]) -> Compared:
    """Return the comparison of two sides.

    Args:
        ours: seconds of our side in each round.
        peer: of the other side in the same rounds.

    Example:
        >>> compared([2.0, 2.0], [1.0, 1.0]).ratio
        2.0
    """
    ratios = np.asarray(ours) / np.asarray(peer)
    drawn = np.random.default_rng(0).integers(0, ratios.size, (_RESAMPLES, ratios.size))
    low, high = np.quantile(np.median(ratios[drawn], axis=1), [0.025, 0.975])
    return Compared(
        ours=float(np.median(ours)),
        peer=float(np.median(peer)),
        ratio=float(np.median(ratios)),
        low=float(low),
        high=float(high),
        rounds=ratios.size,
    )


def in_turn(ours: Callable[[], float], peer: Callable[[], float], *, rounds: int) -> Compared:
    """Measure both sides in turn, each first in every other round.

    Args:
        ours: does the work of our side once, and returns the seconds that it took.
        peer: that of the other side.
        rounds: how often; one more goes before them, which warms up and counts for nothing.
    """
    taken: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        if turn % 2:
            first = ours()
            taken.append((first, peer()))
        else:
            first = peer()
            taken.append((ours(), first))
    return compared([pair[0] for pair in taken[1:]], [pair[1] for pair in taken[1:]])
