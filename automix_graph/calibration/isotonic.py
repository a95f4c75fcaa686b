"""Isotonic calibration: the share of right answers as a non-decreasing function of confidence.

It trusts the order of the confidences and nothing else, so a verifier that cannot tell right from wrong becomes a flat
line, and one whose middle is best is not served. It has no prior: where all answers of some range were right, it says
1.0, however few they were. Measured on the answers it was fitted on, it looks better than it is; for measures after
calibration use `cross_fitted_isotonic`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.columns import fractions, group_codes, outcomes, same_length
from automix_graph.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Isotonic:
    """A non-decreasing map from confidence to probability: straight between its knots, flat beyond them.

    Attributes:
        confidences: of the knots, in [0, 1], strictly increasing; at least one.
        probabilities: at the knots, in [0, 1], non-decreasing.

    Raises:
        ConfigurationError: the knots are no such map.

    Example:
        >>> Isotonic(confidences=(0.2, 0.8), probabilities=(0.5, 0.7)).predict([0.1, 0.5, 1.0])
        array([0.5, 0.6, 0.7])
    """

    confidences: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        x = fractions("confidences", self.confidences)
        y = fractions("probabilities", self.probabilities)
        same_length({"confidences": x, "probabilities": y})
        if (np.diff(x) <= 0).any():
            raise ConfigurationError(f"confidences of the knots are {self.confidences!r}; they must increase strictly")
        if (np.diff(y) < 0).any():
            raise ConfigurationError(f"probabilities of the knots are {self.probabilities!r}; they must not decrease")

    def predict(self, confidence: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated probabilities, shape (n,), in [0, 1].

        Args:
            confidence: shape (n,), in [0, 1].

        Raises:
            ConfigurationError: the column is empty, or holds what it may not.
        """
        return np.interp(fractions("confidence", confidence), self.confidences, self.probabilities)


def fit_isotonic(confidence: ArrayLike, correct: ArrayLike) -> Isotonic:
    """Fit the non-decreasing function with the least squared error.

    Solved by pool adjacent violators (Barlow et al. 1972; for calibration Zadrozny and Elkan 2002), answers of equal
    confidence pooled first. The knots are the two ends of each pool.

    Args:
        confidence: shape (n,), in [0, 1].
        correct: shape (n,), true or false; at least one of each.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, or all answers are right
            or all wrong.

    Example:
        >>> fit_isotonic([0.1, 0.4, 0.6, 0.9], [False, True, False, True]).probabilities
        (0.0, 0.5, 0.5, 1.0)
    """
    given, right = _columns(confidence, correct)
    return _fit(given, right)


def cross_fitted_isotonic(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    seed: int,
    folds: int = 5,
    groups: Sequence[Hashable] | NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Calibrate each answer with a map that was fitted without it.

    The answers are dealt into folds at random, with about the same share of right ones in each; each fold is calibrated
    by the map of the others. The result is for measuring, such as ECE after calibration; it comes from several maps, so
    it need not be monotone in confidence.

    Args:
        confidence: shape (n,), in [0, 1].
        correct: shape (n,), true or false.
        seed: of the folds.
        folds: how many; at least 2, at most the number of groups.
        groups: shape (n,); rows of one group, such as the answers to one question, stay in one fold. None: each row is
            a group of its own.

    Returns:
        Probabilities, shape (n,), in [0, 1], in the order of the rows.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length, there are fewer groups
            than folds, or the answers outside some fold are all right or all wrong.

    Example:
        >>> cross_fitted_isotonic([0.9, 0.9, 0.9, 0.9], [True, True, False, False], folds=2, seed=0)
        array([0.5, 0.5, 0.5, 0.5])
    """
    given, right = _columns(confidence, correct)
    codes = np.arange(given.size) if groups is None else group_codes(groups)
    same_length({"confidence": given, "groups": codes})
    fold_of = _deal(codes, right, folds, np.random.default_rng(seed))
    calibrated = np.empty_like(given)
    for fold in range(folds):
        held_out = fold_of == fold
        calibrated[held_out] = _fit(given[~held_out], right[~held_out]).predict(given[held_out])
    return calibrated


def _columns(confidence: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    given, right = fractions("confidence", confidence), outcomes("correct", correct)
    same_length({"confidence": given, "correct": right})
    return given, right


def _fit(given: NDArray[np.float64], right: NDArray[np.bool_]) -> Isotonic:
    from scipy.optimize import isotonic_regression  # slow to import, and only fitting needs it

    if right.all() or not right.any():
        kind = "right" if right.all() else "wrong"
        raise ConfigurationError(
            f"all {right.size} answers to fit on are {kind}; calibration needs right and wrong ones: "
            "give more rows, or use fewer folds"
        )
    x, place, counts = np.unique(given, return_inverse=True, return_counts=True)
    shares = np.bincount(place, weights=right) / counts
    fitted = isotonic_regression(shares, weights=counts)
    ends = np.union1d(fitted.blocks[:-1], fitted.blocks[1:] - 1)
    y = np.clip(fitted.x[ends], 0.0, 1.0)
    return Isotonic(confidences=tuple(x[ends].tolist()), probabilities=tuple(y.tolist()))


def _deal(
    codes: NDArray[np.intp], right: NDArray[np.bool_], folds: int, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Return the fold of each row: groups in random order, those with more right answers first, dealt in turn."""
    shares = np.bincount(codes, weights=right) / np.bincount(codes)
    if not 2 <= folds <= shares.size:
        raise ConfigurationError(
            f"folds is {folds!r} for {shares.size} groups of rows; use at least 2, and at most one a group"
        )
    order = np.lexsort((generator.random(shares.size), -shares))
    fold_of_group = np.empty(shares.size, dtype=np.intp)
    fold_of_group[order] = np.arange(shares.size) % folds
    return fold_of_group[codes]
