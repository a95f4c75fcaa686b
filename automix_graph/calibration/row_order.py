"""An order of rows, and numbers for their questions, that do not hang on where the rows stand in a file.

What is drawn at random (splits, folds, samples, resamples) goes by these numbers and the seed. So the same rows lead to
the same policy in any order. Rows that are the same in every column are interchangeable.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.binning import Groups
from automix_graph.calibration.splitting import name_bytes
from automix_graph.columns import group_codes
from automix_graph.evaluation.outcomes import Outcomes


def named_questions(groups: Groups) -> NDArray[np.uint64]:
    """Return a number for the question of each row, a hash of its name; shape (n,).

    Two of a million questions share a number by chance once in ten million times, and then count as one.

    Raises:
        ConfigurationError: a row has no question.

    Example:
        >>> bool((named_questions(["p", "q"]) == named_questions(["q", "p"])[::-1]).all())
        True
    """
    codes = group_codes(groups)
    labels = groups.tolist() if isinstance(groups, np.ndarray) else groups
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))
    digests = b"".join(blake2b(name_bytes(labels[row]), digest_size=8).digest() for row in first.tolist())
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)[codes]


def ordered(outcomes: Outcomes, questions: NDArray[np.uint64] | None) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return the order of rows, and the question of each in it, shape (n,) each.

    Args:
        outcomes: of every tier.
        questions: the number of the question of each row; None: each row is a question of its own. These are then
            numbered at random, by a draw that hangs on all rows together, not by what is in each: what is drawn by such
            numbers is independent of the rows.
    """
    columns = list(_columns(outcomes))
    named = [] if questions is None else [questions]
    # The last key is the first to go by.
    order = np.lexsort([*reversed(columns), *named]) if columns or named else np.arange(outcomes.n)
    if questions is not None:
        return order, questions[order]
    digest = blake2b(digest_size=16)
    for column in columns:
        digest.update(column[order].tobytes())
    drawn = np.random.default_rng(int.from_bytes(digest.digest(), "little")).permutation(outcomes.n)
    return order, drawn.astype(np.uint64)


def _columns(outcomes: Outcomes) -> Iterator[NDArray[np.float64]]:
    """Yield the columns that tell rows apart."""
    for tier in outcomes.tiers:
        for column in (tier.confidence, tier.quality, tier.cost, tier.verify_cost, tier.alone_cost, tier.correct):
            if column is not None and not (column == column[0]).all():
                # Zero has two signs, which are equal in any order but not as bytes.
                yield np.asarray(column, dtype=np.float64) + 0.0
