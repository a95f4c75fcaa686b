"""How far a confidence is from the share of right answers, and how good the verdicts are that follow from it.

ECE does not ask whether right and wrong answers are told apart: one confidence for all of them, equal to the share of
right ones, has none. Read it next to AUROC; the Brier score mixes the two.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, outcomes, same_length
from automix_graph.errors import ConfigurationError

Binning = Literal["equal-width", "equal-mass"]
"""Bins of the same width in confidence, or with the same number of answers as far as equal confidences allow."""


def ece(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10, binning: Binning = "equal-width") -> float:
    """Return the expected calibration error.

    ECE = Σ_b n_b/n · |share of right answers in b - mean confidence in b| over the bins b (Naeini et al. 2015; Guo et
    al. 2017, arXiv 1706.04599, eq. 3). A bin is closed on the left and open on the right, the last one closed: with
    ten bins of equal width, confidence 0.3 belongs to [0.3, 0.4). Equal confidences are never parted, so bins of equal
    mass may differ in size. It is biased upwards where bins hold few answers: compare only values of the same n and
    bins.

    Args:
        confidence: shape (n,), in [0, 1].
        correct: shape (n,), true or false.
        bins: how many; at least 1.
        binning: how bins are drawn.

    Returns:
        A number in [0, 1]; 0 is best.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or there is no such
            binning.

    Example:
        >>> round(ece([0.9, 0.8, 0.3, 0.2], [True, True, False, False]), 3)
        0.2
    """
    given, right = _columns(confidence, correct)
    if bins < 1:
        raise ConfigurationError(f"bins is {bins!r}; give at least 1")
    match binning:
        case "equal-width":
            # k / bins is the nearest number to that fraction; the floor of confidence * bins is off by one for some.
            edges = np.arange(1, bins) / bins
        case "equal-mass":
            edges = np.sort(given)[np.arange(1, bins) * given.size // bins]
        case _:
            raise ConfigurationError(f"binning {binning!r} is unknown; use 'equal-width' or 'equal-mass'")
    bin_of = np.searchsorted(edges, given, side="right")
    return float(np.abs(np.bincount(bin_of, weights=right - given)).sum() / given.size)


def brier(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the Brier score, the mean of (confidence - correct)².

    This is the usual form for two outcomes, half of Brier's own (1950). A proper score: the true probabilities have the
    least expected value.

    Args:
        confidence: shape (n,), in [0, 1].
        correct: shape (n,), true or false.

    Returns:
        A number in [0, 1]; 0 is best, and 0.25 is what a confidence of 0.5 for every answer gets.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, or they differ in length.

    Example:
        >>> brier([1.0, 0.5], [True, False])
        0.125
    """
    given, right = _columns(confidence, correct)
    return float(np.mean((given - right) ** 2))


def accuracy_at(confidence: ArrayLike, correct: ArrayLike, *, threshold: float = 0.5) -> float:
    """Return the share of right verdicts, where the verdict is CORRECT exactly if confidence > threshold.

    Args:
        confidence: shape (n,), in [0, 1].
        correct: shape (n,), true or false.
        threshold: in [0, 1].

    Returns:
        A number in [0, 1]. Compare it with the share of the larger class, which a constant verdict reaches.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or the threshold lies
            outside [0, 1].

    Example:
        >>> accuracy_at([0.9, 0.5, 0.6], [True, True, False])
        0.3333333333333333
    """
    given, right = _columns(confidence, correct)
    if not 0.0 <= threshold <= 1.0:
        raise ConfigurationError(f"threshold {threshold!r} is not a confidence; use a number in [0, 1]")
    return float(np.mean((given > threshold) == right))


def _columns(confidence: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    given, right = fractions("confidence", confidence), outcomes("correct", correct)
    same_length({"confidence": given, "correct": right})
    return given, right
