"""How well a score tells right answers from wrong ones. Only the order of the scores counts, not their size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from automix_graph.columns import numbers, outcomes, same_length


def auroc(scores: ArrayLike, correct: ArrayLike) -> float | None:
    """Return the chance that a right answer scores above a wrong one, ties counting half.

    Area under the ROC curve = U / (p·q), with p right answers, q wrong ones, and U the number of pairs of both in which
    the right one scores higher (Hanley and McNeil 1982, the Mann-Whitney U). Takes O(n log n), and O(n) where the
    scores come in order.

    Args:
        scores: shape (n,); any numbers, higher for what is more likely right.
        correct: shape (n,), true or false.

    Returns:
        A number in [0, 1]; 0.5 is no better than chance. None where all answers are right, or all wrong.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, or they differ in length.

    Example:
        >>> auroc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
        0.875
    """
    score, right = numbers("scores", scores), outcomes("correct", correct)
    total = same_length({"scores": score, "correct": right})
    positives = int(right.sum())
    if positives in {0, total}:
        return None
    order = np.argsort(score, kind="stable")
    score, right = score[order], right[order]
    ends = np.append(np.flatnonzero(score[1:] != score[:-1]), total - 1)  # of each run of equal scores
    rights = np.diff(np.cumsum(right)[ends], prepend=0)
    wrongs = np.append(0, np.cumsum(~right)[ends])
    above = float(rights @ (wrongs[1:] + wrongs[:-1])) / 2
    return above / (positives * (total - positives))
