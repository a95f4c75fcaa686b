"""Bootstrap intervals of means over questions, quick for a million rows.

Means of sums need no rows: the questions are put into blocks at random, as many in each, and the blocks are resampled.
With no more questions than blocks that is the bootstrap of `evaluation.bootstrap`; with more, sums of independent
blocks vary as those of their questions do.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.bootstrap import Interval, percentile_interval

_BLOCKS: Final = 5000
RESAMPLES: Final = 1000
LEVEL: Final = 0.95

Name = TypeVar("Name", bound=Hashable)


def mean_intervals(
    columns: Mapping[Name, NDArray[np.float64]], codes: NDArray[np.uint64], *, seed: int
) -> dict[Name, Interval]:
    """Return the mean of each column with its 95 % interval; all from the same resamples.

    Args:
        columns: by name, shape (n,) each.
        codes: the question of each row as a number; its rows are drawn together.
        seed: of the blocks and the resamples.

    Example:
        >>> found = mean_intervals({"quality": np.arange(100) % 2.0}, np.arange(100), seed=0)["quality"]
        >>> found.estimate, round(found.low, 1), round(found.high, 1)
        (0.5, 0.4, 0.6)
    """
    generator = np.random.default_rng(seed)
    _, places = np.unique(codes, return_inverse=True)
    questions = int(places.max()) + 1
    blocks = min(questions, _BLOCKS)
    block = (generator.permutation(questions) % blocks)[places]
    sums = [np.bincount(block, weights=column, minlength=blocks) for column in columns.values()]
    totals = np.column_stack([np.bincount(block, minlength=blocks), *sums])
    drawn = np.array(
        [np.bincount(generator.integers(blocks, size=blocks), minlength=blocks) @ totals for _ in range(RESAMPLES)]
    )
    means = drawn[:, 1:] / drawn[:, :1]
    return {
        name: percentile_interval(
            float(column.mean()), means[:, position].tolist(), level=LEVEL, n=codes.size, units=questions
        )
        for position, (name, column) in enumerate(columns.items())
    }
