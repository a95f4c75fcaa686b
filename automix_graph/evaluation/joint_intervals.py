"""Intervals for many statistics of the same questions, from one set of resamples.

The same percentile bootstrap as `bootstrap_interval`, with the same resamples for the same seed, but every resample is
measured once for all statistics. So they are paired: an interval of a difference is that of one more statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.bootstrap import Interval, check_resampling, percentile_interval

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
        ConfigurationError: a number is out of its range.

    Example:
        >>> values = np.arange(100) % 2
        >>> found = joint_intervals(lambda rows: {"mean": float(values[rows].mean())}, 100, seed=0)
        >>> found["mean"].estimate, round(found["mean"].low, 2), round(found["mean"].high, 2)
        (0.5, 0.4, 0.6)
    """
    if n < 1:
        raise ConfigurationError(f"n is {n!r}; give at least one row")
    check_resampling(n_resamples, level)
    estimates = measure(np.arange(n))
    drawn: dict[Key, list[float | None]] = {key: [] for key in estimates}
    generator = np.random.default_rng(seed)
    for _ in range(n_resamples):
        # In order, because a column that is sorted stays so, and sorting it again takes no time.
        times = np.bincount(generator.integers(n, size=n), minlength=n)
        for key, value in measure(np.repeat(np.arange(n), times)).items():
            drawn[key].append(value)
        progress()
    return {
        key: percentile_interval(estimate, drawn[key], level=level, n=n, units=n) for key, estimate in estimates.items()
    }
