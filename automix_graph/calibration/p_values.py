"""P-values of the hypothesis that a mean loss, the risk, is above alpha.

Each is at most delta with probability at most delta if the hypothesis is true, for independent losses. The binomial one
is exact for losses that are 0 or 1; the one of Hoeffding and Bentkus holds for any losses in [0, 1]. They take sums of
losses, not means, so that nothing is lost in a division. This module does not know where the losses come from, and not
how many hypotheses are tested.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.levels import require_level
from automix_graph.errors import ConfigurationError

ROUNDING: Final = 1e-9
"""By how much, relatively, a sum of losses may exceed a whole number by rounding alone: a million float additions stay
below it. Bentkus' bound rounds sums up, and ten losses of 0.1 are to be 1, not 2."""


def binomial_p_value(errors: ArrayLike, n: ArrayLike, *, alpha: float) -> NDArray[np.float64]:
    """Return P(Binomial(n, alpha) <= errors), exact for losses that are 0 or 1.

    It is worked out as the regularised incomplete beta function, I_{1 - alpha}(n - errors, errors + 1).

    Args:
        errors: how many losses were 1; whole numbers from 0 to ``n``.
        n: how many losses there are; without any, the p-value is 1.
        alpha: the risk that the hypothesis exceeds, in (0, 1).

    Returns:
        In [0, 1], in the shape that ``errors`` and ``n`` have together.

    Raises:
        ConfigurationError: alpha is no such level, or the counts are no such numbers.

    Example:
        >>> binomial_p_value([0, 0, 1], [21, 22, 22], alpha=0.1).round(4)
        array([0.1094, 0.0985, 0.3392])
    """
    require_level("alpha", alpha)
    counts, rows = whole("errors", errors), whole("n", n)
    return binomial_cdf(*_part_and_whole("errors", counts, rows), alpha)


def hoeffding_bentkus_p_value(loss: ArrayLike, n: ArrayLike, *, alpha: float) -> NDArray[np.float64]:
    """Return the smaller of Hoeffding's and Bentkus' p-values, for losses in [0, 1].

    With the mean r = loss / n and KL the relative entropy of two coins, the former is exp(-n KL(r, alpha)) for
    r < alpha, and 1 from there on; the latter is e P(Binomial(n, alpha) <= ceil(loss)). Their minimum is a p-value
    because both bound the probability of a mean of at most r, and this bound increases in r (Bates et al. 2021, arXiv
    2101.02703, section 3.1; Angelopoulos et al., arXiv 2110.01052).

    Args:
        loss: the sum of the losses, from 0 to ``n``.
        n: how many losses there are; without any, the p-value is 1.
        alpha: the risk that the hypothesis exceeds, in (0, 1).

    Returns:
        In [0, 1], in the shape that ``loss`` and ``n`` have together.

    Raises:
        ConfigurationError: alpha is no such level, or ``loss`` and ``n`` are no such numbers.

    Example:
        >>> hoeffding_bentkus_p_value([0.0, 2.5], [22, 100], alpha=0.1).round(4)
        array([0.0985, 0.0131])
    """
    require_level("alpha", alpha)
    total, rows = _part_and_whole("loss", np.asarray(loss, dtype=np.float64), whole("n", n))
    hoeffding = np.exp(-rows * relative_entropy(total / np.maximum(rows, 1.0), alpha))
    bentkus = np.e * binomial_cdf(rounded_up(total), rows, alpha)
    return np.minimum(np.minimum(hoeffding, bentkus), 1.0)


def binomial_cdf(k: ArrayLike, n: ArrayLike, probability: float) -> NDArray[np.float64]:
    """Return P(Binomial(n, probability) <= k) of unchecked numbers, 1 where k >= n; smooth between whole numbers."""
    from scipy.special import betaincc  # slow to import, and whoever reads certificates works nothing out

    successes, trials = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    certain = successes >= trials
    others = np.where(certain, 1.0, trials - successes)
    return np.where(certain, 1.0, betaincc(successes + 1.0, others, probability))


def relative_entropy(mean: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Return KL(mean, alpha) between two coins, in nats, and 0 where the mean is at least alpha."""
    from scipy.special import xlogy

    below = np.minimum(mean, alpha)
    entropy = xlogy(below, below / alpha) + xlogy(1.0 - below, (1.0 - below) / (1.0 - alpha))
    return np.asarray(np.maximum(entropy, 0.0), dtype=np.float64)


def rounded_up(loss: ArrayLike) -> NDArray[np.float64]:
    """Return the sums of losses rounded up to whole numbers, but for what rounding errors have added."""
    return np.asarray(np.ceil(np.multiply(loss, 1.0 - ROUNDING)), dtype=np.float64)


def whole(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return counts as floats, which are exact far beyond any number of rows.

    Raises:
        ConfigurationError: a value is negative, or no whole number.
    """
    counts = np.asarray(values, dtype=np.float64)
    wrong = ~((counts >= 0.0) & (counts == np.floor(counts)) & np.isfinite(counts))
    if wrong.any():
        raise ConfigurationError(f"{name} holds {counts[wrong].flat[0].item()!r}; give whole numbers from 0")
    return counts


def _part_and_whole(
    name: str, part: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both in one shape, or refuse parts that are no parts of n."""
    part, n = np.broadcast_arrays(part, n)
    wrong = ~((part >= 0.0) & (part <= n))
    if wrong.any():
        raise ConfigurationError(
            f"{name} holds {part[wrong].flat[0].item()!r} where n is {n[wrong].flat[0].item():.0f}; "
            "give numbers from 0 to n"
        )
    return part, n
