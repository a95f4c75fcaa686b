"""Columns of per-question numbers, checked before anything is worked out from them.

A column is an array of shape (n,), one value a question. What is missing is refused, never filled in: failed
verifications have no confidence, so whoever holds the records leaves them out and says how many. This module knows no
statistic.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Hashable, Mapping, Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.errors import ConfigurationError

_NUMBERS_ONLY: Final = "give numbers; leave out rows that have none, and count them"


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a column of numbers, shape (n,), n >= 1; infinities are numbers here, NaN is not.

    Args:
        name: what errors call the column.
        values: shape (n,); booleans, integers or floats.

    Raises:
        ConfigurationError: the column has no values, another shape, or a value that is no number.

    Example:
        >>> numbers("cost", [1, 0.5])
        array([1. , 0.5])
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ConfigurationError(f"{name} has shape {array.shape}; give one number a row, shape (n,)")
    if not array.size:
        raise ConfigurationError(f"{name} is empty; give at least one row")
    if array.dtype.kind not in "biuf":
        strange = np.array([not isinstance(value, Real | np.bool_) for value in array])
        _refuse(name, array, strange, _NUMBERS_ONLY)
    column = array.astype(np.float64)
    _refuse(name, column, np.isnan(column), _NUMBERS_ONLY)
    return column


def fractions(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a column of numbers in [0, 1], shape (n,).

    Raises:
        ConfigurationError: as for `numbers`, or a value lies outside [0, 1].
    """
    column = numbers(name, values)
    _refuse(name, column, (column < 0.0) | (column > 1.0), "give numbers in [0, 1]")
    return column


def outcomes(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Return a column of true and false, shape (n,); 1 and 0 may stand for them.

    Raises:
        ConfigurationError: as for `numbers`, or a value is neither.

    Example:
        >>> outcomes("correct", [1, 0])
        array([ True, False])
    """
    column = numbers(name, values)
    _refuse(name, column, (column != 0.0) & (column != 1.0), "give True or False (1 or 0)")
    return column.astype(np.bool_)


def same_length(columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> int:
    """Return the number of rows that all columns have.

    Raises:
        ConfigurationError: they differ.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ConfigurationError(
            f"columns differ in their rows: {found}; give one value a question in each, in the same order"
        )
    return next(iter(lengths.values()))


def group_codes(groups: Sequence[Hashable] | NDArray[Any]) -> NDArray[np.intp]:
    """Number the groups from 0 in the order in which they first appear; shape (n,).

    Raises:
        ConfigurationError: a row has no group (None or NaN).

    Example:
        >>> group_codes(["q7", "q7", "q2"])
        array([0, 0, 1])
    """
    labels: list[Hashable] = groups.tolist() if isinstance(groups, np.ndarray) else list(groups)
    codes: dict[Hashable, int] = {}
    for row, label in enumerate(labels):
        if label is None or (isinstance(label, float) and math.isnan(label)):
            raise ConfigurationError(f"groups holds {label!r} at row {row}; name the group of each row")
        codes.setdefault(label, len(codes))
    return np.array([codes[label] for label in labels], dtype=np.intp)


def _refuse(name: str, values: NDArray[Any], wrong: NDArray[np.bool_], allowed: str) -> None:
    """Refuse the first wrong value, if there is one."""
    rows = np.flatnonzero(wrong)
    if rows.size:
        first = values[rows[0] : rows[0] + 1].tolist()[0]
        raise ConfigurationError(
            f"{name} holds {reprlib.repr(first)} at row {rows[0]} ({rows.size} of {values.size} rows are so); {allowed}"
        )
