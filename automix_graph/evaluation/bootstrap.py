"""Intervals for statistics of per-question columns, by resampling the questions.

The percentile bootstrap (Efron 1979; Efron and Tibshirani 1993, ch. 13). It knows nothing of the statistic. It says how
much the estimate would move with other questions of the same kind, not how it would move with other kinds of questions,
and it is a little too narrow where rows or groups are few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import group_codes, same_length
from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its interval.

    Attributes:
        estimate: the statistic of all rows; None where it is undefined.
        low: lower end; None where there is no interval: the estimate is undefined, it was undefined on every resample,
            or there is one row (one group) only.
        high: upper end; None where `low` is.
        level: coverage aimed at, in (0, 1).
        n: rows.
        failed_resamples: on how many resamples the statistic was undefined; they are left out of the interval, which
            then speaks only of data on which the statistic exists.

    Example:
        >>> Interval(estimate=0.8, low=0.7, high=0.9, level=0.95, n=100, failed_resamples=0).low
        0.7
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    failed_resamples: int


def bootstrap_interval(
    statistic: Callable[..., float | None],
    *columns: ArrayLike,
    seed: int,
    n_resamples: int = 2000,
    level: float = 0.95,
    groups: Sequence[Hashable] | NDArray[Any] | None = None,
) -> Interval:
    """Return the percentile interval of a statistic.

    Rows are drawn with replacement, the same rows of all columns. So a paired difference needs no other function: pass
    the columns of both, and a statistic that subtracts.

    Args:
        statistic: takes as many arrays as there are columns, and returns a number, or None where it is undefined.
        columns: each with n rows along its first axis.
        seed: of the resamples.
        n_resamples: how many; at least 1.
        level: coverage aimed at, in (0, 1).
        groups: shape (n,); rows of one group, such as the answers to one question, are drawn together. None: each row
            is a group of its own.

    Raises:
        ConfigurationError: columns are missing, empty or of different lengths, a number is out of its range, a row has
            no group, or the statistic returned NaN or an infinity.

    Example:
        >>> import numpy as np
        >>> found = bootstrap_interval(np.mean, np.arange(100) % 2, seed=0)
        >>> found.estimate, round(found.low, 2), round(found.high, 2)
        (0.5, 0.4, 0.6)
    """
    arrays = [np.asarray(column) for column in columns]
    n = _rows(arrays, groups)
    check_resampling(n_resamples, level)
    codes = np.arange(n) if groups is None else group_codes(groups)
    estimate = _number(statistic(*arrays))
    draws = _draws(codes, n_resamples, np.random.default_rng(seed))
    found = [_number(statistic(*(array[rows] for array in arrays))) for rows in draws]
    return percentile_interval(estimate, found, level=level, n=n, units=int(codes.max()) + 1)


def check_resampling(n_resamples: int, level: float) -> None:
    """Refuse what no bootstrap can be.

    Raises:
        ConfigurationError: there is no resample, or the level lies outside (0, 1).
    """
    if n_resamples < 1:
        raise ConfigurationError(f"n_resamples is {n_resamples!r}; draw at least 1, better 1000 or more")
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level {level!r} is not a coverage; use a number between 0 and 1, such as 0.95")


def percentile_interval(
    estimate: float | None, drawn: Sequence[float | None], *, level: float, n: int, units: int
) -> Interval:
    """Return an estimate with the interval between percentiles of what resamples gave.

    Args:
        estimate: the statistic of all rows; None where it is undefined.
        drawn: the statistic of each resample; None where it is undefined.
        level: coverage aimed at, in (0, 1).
        n: rows.
        units: of which resamples are made, rows or groups of them; one has no interval.

    Example:
        >>> percentile_interval(0.5, [0.0, None, 1.0], level=0.5, n=2, units=2).high
        0.75
    """
    values = [value for value in drawn if value is not None]
    low = high = None
    if estimate is not None and values and units > 1:
        low, high = (float(end) for end in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
    failed = len(drawn) - len(values)
    return Interval(estimate=estimate, low=low, high=high, level=level, n=n, failed_resamples=failed)


def _rows(arrays: list[NDArray[Any]], groups: Sequence[Hashable] | NDArray[Any] | None) -> int:
    if not arrays:
        raise ConfigurationError("no columns to resample; pass at least one array after the statistic")
    for number, array in enumerate(arrays):
        if array.ndim == 0 or not len(array):
            raise ConfigurationError(f"column {number} has no rows (shape {array.shape}); give at least one")
    named: dict[str, Sequence[Any] | NDArray[Any]] = {f"column {i}": array for i, array in enumerate(arrays)}
    return same_length(named if groups is None else named | {"groups": groups})


def _draws(codes: NDArray[np.intp], times: int, generator: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each resample: as many groups as there are, drawn with replacement, with all their rows."""
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    for _ in range(times):
        drawn = generator.integers(len(sizes), size=len(sizes))
        lengths = sizes[drawn]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield order[np.repeat(starts[drawn], lengths) + within]


def _number(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ConfigurationError(
            f"the statistic returned {float(value)!r}; it must return a number, or None where undefined"
        )
    return None if value is None else float(value)
