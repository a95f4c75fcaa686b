"""How many rows a guarantee needs: at the least, and at a mean loss that was observed."""

from __future__ import annotations

import math
from typing import Final

from automix_graph.calibration.levels import require_level
from automix_graph.calibration.p_values import relative_entropy
from automix_graph.errors import ConfigurationError

_MOST: Final = 10**12
"""Beyond so many rows nobody has them, and the arithmetic of floats ends."""


def least_rows(*, alpha: float, delta: float) -> int:
    """Return how many rows certify a risk of alpha if none of them has a loss.

    With fewer, nothing is certified, whatever is observed. It is the least n with (1 - alpha)^n <= delta, for 0/1 and
    for graded losses.

    Args:
        alpha: the risk that is tolerated, in (0, 1).
        delta: the level of the test, in (0, 1).

    Raises:
        ConfigurationError: a level lies outside (0, 1).

    Example:
        >>> least_rows(alpha=0.1, delta=0.1), least_rows(alpha=0.05, delta=0.1)
        (22, 45)
    """
    require_level("alpha", alpha)
    require_level("delta", delta)
    return _least_trials(0, alpha, delta)


def rows_needed(mean_loss: float, *, alpha: float, delta: float, graded: bool = False) -> int | None:
    """Return how many rows would certify a risk of alpha at a mean loss like the one that was observed.

    This is an estimate: the mean that was observed is uncertain itself, and with just so many rows, chance decides.

    Args:
        mean_loss: that was observed, in [0, 1].
        alpha: the risk that is tolerated, in (0, 1).
        delta: the level of the test, in (0, 1).
        graded: whether losses may lie between 0 and 1.

    Returns:
        Rows, or None if no number of rows would do: the mean is not below alpha, or is so near to it that 10^12 rows
        are too few.

    Raises:
        ConfigurationError: a level lies outside (0, 1), or the mean outside [0, 1].

    Example:
        >>> rows_needed(0.05, alpha=0.1, delta=0.1), rows_needed(0.1, alpha=0.1, delta=0.1)
        (78, None)
    """
    require_level("alpha", alpha)
    require_level("delta", delta)
    if not 0.0 <= mean_loss <= 1.0:
        raise ConfigurationError(f"mean_loss is {mean_loss!r}; use a number in [0, 1]")
    if mean_loss >= alpha:
        return None
    if not graded:
        needed = _binomial_rows(mean_loss, alpha, delta)
    else:
        entropy = float(relative_entropy(mean_loss, alpha))
        hoeffding = math.ceil(-math.log(delta) / entropy) if entropy * _MOST > -math.log(delta) else _MOST + 1
        needed = min(hoeffding, _binomial_rows(mean_loss, alpha, delta / math.e))
    return needed if needed <= _MOST else None


def _binomial_rows(mean_loss: float, alpha: float, delta: float) -> int:
    """Return the least n at which ceil(mean_loss * n) errors are few enough.

    With k errors, at least t(k) rows are needed, and at this mean k errors come with at most k / mean_loss of them. So
    it is t(k) for the least k with mean_loss * t(k) <= k.
    """

    def enough(errors: int) -> bool:
        return mean_loss * _least_trials(errors, alpha, delta) <= errors

    high = 0
    while not enough(high):
        high = 2 * high + 1
        if high > _MOST:
            return _MOST + 1
    low = high // 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return _least_trials(high, alpha, delta)


def _least_trials(errors: int, alpha: float, delta: float) -> int:
    """Return the least n with P(Binomial(n, alpha) <= errors) <= delta, which decreases in n."""
    from scipy.special import betaincc

    def enough(n: int) -> bool:
        # As in `binomial_cdf`, for numbers instead of arrays: a search asks a thousand times.
        return bool(betaincc(errors + 1.0, float(n - errors), alpha) <= delta)

    low, high = errors, errors + 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
