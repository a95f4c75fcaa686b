"""Intervals for many statistics of the same questions, from one set of resamples.

The same percentile bootstrap as `bootstrap_interval`, with the same resamples for the same seed, but every resample is
measured once for all statistics. So they are paired: an interval of a difference is that of one more statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.bootstrap import Interval

Key = TypeVar("Key", bound=Hashable)


def joint_intervals(
    measure: Callable[[NDArray[np.intp]], Mapping[Key, float | None]],
    n: int,
    *,
    seed: int,
    n_resamples: int = 1000,
    level: float = 0.95,
    progress: Callable[[], object] = lambda: None,
) -> dict[Key, Interval]:
    """Return the percentile interval of every statistic that a function measures.

    Args:
        measure: takes positions of rows, increasing and with repetitions, and returns statistics of these rows by name,
            None where one is undefined; always with the same names.
        n: rows; at least 1.
        seed: of the resamples.
        n_resamples: how many; at least 1.
        level: coverage aimed at, in (0, 1).
        progress: called after each resample.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> values = np.arange(100) % 2
        >>> found = joint_intervals(lambda rows: {"mean": float(values[rows].mean())}, 100, seed=0)
        >>> found["mean"].estimate, round(found["mean"].low, 2), round(found["mean"].high, 2)
        (0.5, 0.4, 0.6)
    """
    if n < 1 or n_resamples < 1:
        raise ValueError(f"n is {n!r} and n_resamples {n_resamples!r}; both must be at least 1")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level!r} is not a coverage; use a number between 0 and 1, such as 0.95")
    estimates = measure(np.arange(n))
    drawn: dict[Key, list[float]] = {key: [] for key in estimates}
    generator = np.random.default_rng(seed)
    for _ in range(n_resamples):
        # In order, because a column that is sorted stays so, and sorting it again takes no time.
        for key, value in measure(np.sort(generator.integers(n, size=n))).items():
            if value is not None:
                drawn[key].append(value)
        progress()
    return {key: _interval(estimate, drawn[key], n, n_resamples, level) for key, estimate in estimates.items()}


def _interval(estimate: float | None, values: list[float], n: int, n_resamples: int, level: float) -> Interval:
    low = high = None
    if estimate is not None and values and n > 1:
        low, high = (float(end) for end in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(estimate=estimate, low=low, high=high, level=level, n=n, failed_resamples=n_resamples - len(values))
