"""Split rows into those that choose the rules and those that certify one, which must never be the same.

Copies of a question would tell the second part what the first has seen, so a group of rows goes to one part as a whole.
Which one depends on the seed and on what groups are called, not on where their rows stand in the file.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix_graph.columns import group_codes
from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Which rows are for what.

    Attributes:
        selection: rows that may choose rules and their order, increasing.
        certification: all others, increasing: they test the rules that were chosen, once.
    """

    selection: NDArray[np.intp]
    certification: NDArray[np.intp]


def split_rows(groups: Sequence[Hashable] | NDArray[Any], *, seed: int, selection_share: float = 0.3) -> Split:
    """Split rows at random, each group whole.

    Groups are put into a random order that depends on the seed and their names alone, and the first ones become the
    selection, as many as come nearest to the share. The same names and sizes of groups are split alike in any order of
    rows. A name is text, a number, a tuple of those, or anything else whose ``repr`` is the same in every process.

    Args:
        groups: what each row belongs to, shape (n,), such as the question; at least two different ones.
        seed: of the order, at least 0 and below 2^128.
        selection_share: of the rows, in (0, 1); both parts get at least one group. Choosing thresholds takes few rows,
            and certifying them takes all it can get.

    Raises:
        ConfigurationError: there are fewer than two groups, a row has none, or seed or share are out of range.

    Example:
        >>> split = split_rows(["q1", "q2", "q1", "q3", "q4"], seed=0)
        >>> sorted([*split.selection.tolist(), *split.certification.tolist()])
        [0, 1, 2, 3, 4]
    """
    if not 0.0 < selection_share < 1.0:
        raise ConfigurationError(
            f"selection_share is {selection_share!r}; use a number above 0 and below 1, such as 0.3"
        )
    codes, order = _shuffled(groups, seed)
    if order.size < 2:
        raise ConfigurationError(f"groups names {order.size} group; rows of at least two are needed for two parts")
    return split_places(np.argsort(order)[codes], selection_share=selection_share)


def split_places(places: NDArray[np.intp], *, selection_share: float) -> Split:
    """Split rows whose groups have been put into a random order already: the first ones are the selection.

    Args:
        places: the place of the group of each row, shape (n,), from 0; at least two different ones.
        selection_share: of the rows, in (0, 1).

    Example:
        >>> split_places(np.array([2, 0, 1, 0]), selection_share=0.5).selection
        array([1, 3])
    """
    ends = np.cumsum(np.bincount(places))
    nearest = int(np.argmin(np.abs(ends[:-1] - selection_share * places.size)))
    selected = places <= nearest
    return Split(selection=np.flatnonzero(selected), certification=np.flatnonzero(~selected))


def one_row_per_group(groups: Sequence[Hashable] | NDArray[Any], *, seed: int) -> NDArray[np.intp]:
    """Return one row of each group, drawn at random; increasing.

    Rows of one question are no independent draws, and tests that take them for such find too much. With one row each,
    a risk is a mean over different questions.

    Args:
        groups: what each row belongs to, shape (n,), such as the question.
        seed: of the draw.

    Raises:
        ConfigurationError: a row has no group.

    Example:
        >>> one_row_per_group(["q1", "q2", "q2", "q3"], seed=0).size
        3
    """
    numbered = isinstance(groups, np.ndarray) and groups.dtype.kind in "iu"
    codes = np.asarray(groups) if numbered else group_codes(groups)
    shuffled = np.random.default_rng(seed).permutation(codes.size)
    _, first = np.unique(codes[shuffled], return_index=True)
    return np.sort(shuffled[first])


def _shuffled(groups: Sequence[Hashable] | NDArray[Any], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group of each row, and the groups in an order that their names and the seed decide."""
    if not 0 <= seed < 2**128:
        raise ConfigurationError(f"seed is {seed!r}; use a whole number from 0 and below 2^128")
    codes = group_codes(groups)
    labels = groups.tolist() if isinstance(groups, np.ndarray) else groups
    # Groups are numbered as they come, so that each new number is the highest so far.
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))
    salt = seed.to_bytes(16, "little")
    digests = [blake2b(name_bytes(labels[row]), digest_size=8, salt=salt).digest() for row in first.tolist()]
    return codes, np.argsort(np.frombuffer(b"".join(digests), dtype="<u8"), kind="stable")


def places_of(questions: NDArray[np.uint64], *, seed: int) -> NDArray[np.intp]:
    """Return the place of the question of each row in a random order of all questions; shape (n,), from 0.

    The order depends on the seed and the numbers of the questions alone.

    Args:
        questions: the number of the question of each row, shape (n,).
        seed: of the order, at least 0 and below 2^64.

    Example:
        >>> sorted(places_of(np.array([7, 7, 5], dtype=np.uint64), seed=0).tolist())
        [0, 1, 1]
    """
    return np.unique(_mixed(questions ^ _mixed(np.array([seed], dtype=np.uint64))), return_inverse=True)[1]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that look random, another one for each: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def name_bytes(label: Hashable) -> bytes:
    """Return the same bytes for labels that are equal: 1 and 1.0, or text of NumPy and of Python."""
    if isinstance(label, str):
        return b"'" + label.encode("utf-8", "surrogatepass")
    if isinstance(label, float | np.floating) and not float(label).is_integer():
        return repr(float(label)).encode()
    if isinstance(label, int | float | np.number):
        return b"%d" % int(label)
    if isinstance(label, tuple):
        return b"(" + b"".join(b"%d:" % len(name) + name for name in map(name_bytes, label))
    return repr(label).encode("utf-8", "backslashreplace")
