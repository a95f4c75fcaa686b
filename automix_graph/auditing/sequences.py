"""Bounds on a mean loss that hold at all times together, however often somebody looks and whenever they stop.

An interval for a fixed number of rows is wrong too often for those who look every day. Here the evidence against "the
risk is at most m" is what a gambler has won who bets against it with a stake of 1: by Ville's inequality the fortune
ever reaches 1 / delta with probability at most delta if the claim is true. The gambler bets on every rate p above m at
once, spread as Jeffreys' prior, and so holds

    integral of (p / m)^s ((1 - p) / (1 - m))^(n - s) over the prior restricted to p > m,

with s the sum of n losses: Robbins' method of mixtures (Annals of Mathematical Statistics 41, 1970), as in Orabona and
Jun (IEEE Transactions on Information Theory 2024, arXiv 2110.14099); betting in general in Waudby-Smith and Ramdas
(Journal of the Royal Statistical Society B 86, 2024, arXiv 2010.09686). For losses in [0, 1] that are no 0 or 1 it
holds too, since (p / m)^x ((1 - p) / (1 - m))^(1 - x) is convex in x and so at most what a coin gives.

The claim is about each loss given those before: that the expected one was at most m every time. It needs neither equal
nor independent risks, nor the same share of answers audited all the time.
"""

from __future__ import annotations

import math
from typing import Final

from automix_graph.calibration.levels import require_level
from automix_graph.errors import ConfigurationError

_HALVINGS: Final = 60
_PRIOR: Final = 0.5
"""Both parameters of Jeffreys' prior, a beta distribution."""


def bernoulli_e_value(loss: float, n: int, *, risk: float) -> float:
    """Return the evidence against the claim that the risk is at most this: what a stake of 1 has become.

    Args:
        loss: the sum of the losses, from 0 to ``n``.
        n: how many losses there are.
        risk: that is claimed, in (0, 1).

    Raises:
        ConfigurationError: the risk is no such level, or ``loss`` and ``n`` are no such numbers.

    Example:
        >>> round(bernoulli_e_value(12, 40, risk=0.1), 1), bernoulli_e_value(0, 0, risk=0.1)
        (73.6, 1.0)
    """
    require_level("risk", risk)
    _check(loss, n)
    return math.exp(min(_log_e_value(loss, n, risk), 700.0))


def lower_sequence(loss: float, n: int, *, delta: float) -> float:
    """Return a lower bound on the risk; it is ever too high with probability at most delta, over all n.

    Args:
        loss: the sum of the losses so far, from 0 to ``n``.
        n: how many losses there are so far; without any, the bound is 0.
        delta: in (0, 1).

    Raises:
        ConfigurationError: delta is no such level, or ``loss`` and ``n`` are no such numbers.

    Example:
        >>> lower_sequence(0, 50, delta=0.05), round(lower_sequence(20, 100, delta=0.05), 3)
        (0.0, 0.093)
    """
    require_level("delta", delta)
    _check(loss, n)
    if loss <= 0:
        return 0.0
    low, high = 0.0, loss / n
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        # The evidence against a claim grows the lower the claim is.
        if 0.0 < middle < 1.0 and _log_e_value(loss, n, middle) < -math.log(delta):
            high = middle
        else:
            low = middle
    return low


def upper_sequence(loss: float, n: int, *, delta: float) -> float:
    """Return an upper bound on the risk; it is ever too low with probability at most delta, over all n.

    Args:
        loss: the sum of the losses so far, from 0 to ``n``.
        n: how many losses there are so far; without any, the bound is 1.
        delta: in (0, 1).

    Raises:
        ConfigurationError: delta is no such level, or ``loss`` and ``n`` are no such numbers.

    Example:
        >>> upper_sequence(0, 0, delta=0.05), round(upper_sequence(0, 100, delta=0.05), 3)
        (1.0, 0.037)
    """
    return 1.0 - lower_sequence(n - loss, n, delta=delta)


def _log_e_value(loss: float, n: int, risk: float) -> float:
    from scipy.special import betaln

    won = betaln(_PRIOR + loss, _PRIOR + n - loss) + _log_above(risk, _PRIOR + loss, _PRIOR + n - loss)
    staked = betaln(_PRIOR, _PRIOR) + _log_above(risk, _PRIOR, _PRIOR)
    return float(won - staked - loss * math.log(risk) - (n - loss) * math.log1p(-risk))


def _log_above(risk: float, a: float, b: float) -> float:
    """Return log P(Beta(a, b) > risk)."""
    from scipy.special import betaincc

    share = float(betaincc(a, b, risk))
    return math.log(share) if share > 0.0 else -math.inf


def _check(loss: float, n: int) -> None:
    if not (isinstance(n, int) and n >= 0 and 0.0 <= loss <= n):
        raise ConfigurationError(
            f"loss is {loss!r} of {n!r}; give a sum of losses from 0 to n, and a whole number n from 0"
        )
