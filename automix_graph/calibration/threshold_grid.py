"""Which thresholds to test: chosen on rows that certify nothing themselves.

For the regret, whose mean is over all rows, a stricter rule is always the surer one, and the whole grid may be tested.
For the error among kept answers it is not: strict rules keep too few rows to certify anything, the highest confidences
may mislead, and the sequence ends at its first failure. There it begins at the rule that promises most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.levels import require_level
from automix_graph.calibration.p_values import binomial_cdf
from automix_graph.calibration.tally import confidence_column, tally
from automix_graph.columns import fractions
from automix_graph.errors import ConfigurationError


def threshold_grid(confidence: ArrayLike, *, steps: int = 100) -> NDArray[np.float64]:
    """Return thresholds that keep about equal steps of the judged answers, strictest first.

    Each is a confidence that occurs, so that answers of equal confidence are kept together, and each occurs once; the
    last is 0, which keeps all that was judged.

    Args:
        confidence: of the selection rows, shape (n,), in [0, 1], and NaN where the verification failed.
        steps: into how many parts the kept share is divided, at least 1.

    Returns:
        Shape (m,), strictly decreasing, 1 <= m <= steps + 1.

    Raises:
        ConfigurationError: the column holds what it may not, or ``steps`` is too small.

    Example:
        >>> threshold_grid([0.9, 0.9, 0.7, 0.2], steps=4)
        array([0.9, 0.7, 0.2, 0. ])
    """
    if steps < 1:
        raise ConfigurationError(f"steps is {steps!r}; use at least 1")
    column = confidence_column(confidence)
    judged = np.sort(column[~np.isnan(column)])
    ranks = np.ceil(np.arange(1, steps + 1) * judged.size / steps).astype(np.intp)
    candidates = judged[judged.size - ranks] if judged.size else judged
    return np.union1d(candidates, [0.0])[::-1]


def error_grid(
    confidence: ArrayLike,
    quality: ArrayLike,
    *,
    alpha: float,
    certification_rows: int,
    steps: int = 100,
) -> NDArray[np.float64]:
    """Return thresholds to test for the error among kept answers, from the one that promises most to the loosest.

    That is the one whose p-value would be the lowest if the certification rows had kept answers and losses in the
    proportions of these rows.

    Args:
        confidence: of the selection rows, shape (n,), in [0, 1], and NaN where the verification failed.
        quality: of the small answers in these rows, shape (n,), in [0, 1].
        alpha: the risk that is tolerated, in (0, 1).
        certification_rows: on how many rows the thresholds will be tested, at least 1.
        steps: into how many parts the kept share is divided, at least 1.

    Returns:
        Shape (m,), strictly decreasing, 1 <= m <= steps + 1; the last of `threshold_grid`.

    Raises:
        ConfigurationError: a column holds what it may not, they differ in length, or a number is out of range.

    Example:
        >>> confidence, quality = [0.9] * 5 + [0.8] * 45 + [0.3] * 50, [1] * 48 + [0] * 52
        >>> error_grid(confidence, quality, alpha=0.1, certification_rows=100)
        array([0.8, 0.3, 0. ])
    """
    require_level("alpha", alpha)
    if certification_rows < 1:
        raise ConfigurationError(f"certification_rows is {certification_rows!r}; use at least 1")
    grid = threshold_grid(confidence, steps=steps)
    rules = tally(confidence, 1.0 - fractions("quality", quality), grid)
    scale = certification_rows / rules.n
    expected = binomial_cdf(rules.loss * scale, rules.kept * scale, alpha)
    # Of equals the loosest: other rows will fall between the thresholds that these rows cannot tell apart.
    return grid[int(np.flatnonzero(expected == expected.min())[-1]) :]
