"""Upper confidence bounds on a risk: the p-values of `p_values`, solved for alpha.

A bound is the least alpha at which the p-value is at most delta. So it is at most alpha exactly where that alpha passes
the test, and holds with confidence 1 - delta for ONE rule, which was chosen without these losses.
"""

from __future__ import annotations

import math
from typing import Final

from automix_graph.calibration.levels import require_level
from automix_graph.calibration.p_values import binomial_p_value, hoeffding_bentkus_p_value, relative_entropy, rounded_up

_HALVINGS: Final = 60


def clopper_pearson_upper(errors: int, n: int, *, delta: float) -> float:
    """Return the one-sided upper bound of Clopper and Pearson (1934) on the probability of an error.

    Args:
        errors: how many losses were 1, from 0 to ``n``.
        n: how many losses there are; without any, the bound is 1.
        delta: the probability, in (0, 1), with which the bound may be too low.

    Returns:
        In (0, 1].

    Raises:
        ConfigurationError: delta is no such level, or the counts are no such numbers.

    Example:
        >>> round(clopper_pearson_upper(0, 22, delta=0.1), 4)  # 1 - 0.1 ** (1 / 22)
        0.0994
    """
    require_level("delta", delta)
    binomial_p_value(errors, n, alpha=0.5)  # checks the counts
    return _binomial_upper(errors, n, delta)


def hoeffding_bentkus_upper(loss: float, n: int, *, delta: float) -> float:
    """Return the upper bound on the mean of losses in [0, 1] that belongs to `hoeffding_bentkus_p_value`.

    Args:
        loss: the sum of the losses, from 0 to ``n``.
        n: how many losses there are; without any, the bound is 1.
        delta: the probability, in (0, 1), with which the bound may be too low.

    Returns:
        In (0, 1].

    Raises:
        ConfigurationError: delta is no such level, or ``loss`` and ``n`` are no such numbers.

    Example:
        >>> round(hoeffding_bentkus_upper(2.5, 100, delta=0.1), 4)
        0.0738
    """
    require_level("delta", delta)
    hoeffding_bentkus_p_value(loss, n, alpha=0.5)  # checks loss and n
    bentkus = _binomial_upper(float(rounded_up(loss)), n, delta / math.e)
    return min(_hoeffding_upper(loss, n, delta), bentkus)


def _binomial_upper(errors: float, n: int, delta: float) -> float:
    from scipy.special import betainccinv

    return 1.0 if errors >= n else float(betainccinv(errors + 1.0, n - errors, delta))


def _hoeffding_upper(loss: float, n: int, delta: float) -> float:
    """Solve n KL(loss / n, alpha) = log(1 / delta) for alpha, which increases in alpha above the mean."""
    if not n:
        return 1.0
    mean = loss / n
    low, high = mean, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        # At 1 the entropy is infinite: the search ends below it, where all losses are 1 at 1 itself.
        if middle < 1.0 and n * float(relative_entropy(mean, middle)) < -math.log(delta):
            low = middle
        else:
            high = middle
    return high
