"""Fit a `PomdpPolicy`: how often each confidence is seen where questions are easy, need a larger model, or are lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.calibration.binning import Binning, Groups, weighted_counts
from automix_graph.calibration.tier_table import TierTable, tier_table
from automix_graph.errors import ConfigurationError
from automix_graph.policies import PomdpPolicy

_DEFAULT: Final = Binning()


def fit_pomdp(
    confidences: Sequence[ArrayLike],
    qualities: Sequence[ArrayLike],
    *,
    costs: Sequence[float],
    lam: float,
    binning: Binning = _DEFAULT,
    laplace: float = 1.0,
    solved: float = 0.5,
    abstain_below: float | None = None,
    groups: Groups | None = None,
) -> PomdpPolicy:
    """Return the policy for the difficulties that these rows show.

    In the rows the difficulty is known: it is the first tier whose answer is worth more than ``solved``. The prior and
    the chances of the bins are counted with Laplace's rule: (count + laplace) / (all + laplace * kinds). The quality of
    a tier in a state is its mean over the rows of that state, so that what a larger model gets wrong of the easy ones
    counts too; in a state that no row shows, it is 1 from the tier on that solves it, and 0 below.

    Args:
        confidences: of the verification of each tier but the last, shape (n,) each, in [0, 1].
        qualities: of the answers of each tier, cheapest first, shape (n,) each, in [0, 1].
        costs: of asking each tier, its verification included, at least 0.
        lam: what a unit of cost is worth in quality, at least 0.
        binning: how finely confidence is divided; its ``pseudo_rows`` are not used.
        laplace: what is added to each count, above 0.
        solved: the quality above which an answer solves its question, in [0, 1).
        abstain_below: give a question up where no tier is expected to reach this; None: never.
        groups: shape (n,), the question of each row; its rows count as one. None: each row is a question of its own.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, they differ in length or number, a number is out
            of range, or there are too few rows.

    Example:
        >>> confidence, small = [0.2] * 50 + [0.8] * 50, [0] * 50 + [1] * 50
        >>> policy = fit_pomdp([confidence], [small, [1] * 100], costs=[1, 20], lam=0.01)
        >>> policy.table, policy.observation[0][0]
        (([1, 0],), (0.019230769230769232, 0.9807692307692307))
    """
    if not 0.0 < laplace < np.inf:
        raise ConfigurationError(f"laplace is {laplace!r}; use a finite number above 0, for nothing seen is impossible")
    if not 0.0 <= solved < 1.0:
        raise ConfigurationError(f"solved is {solved!r}; use a quality in [0, 1)")
    table = tier_table(confidences, qualities, costs=costs, lam=lam, binning=binning, groups=groups)
    tiers = len(table.costs)
    solves = np.vstack([table.quality > solved, np.ones(table.weights.size, dtype=np.bool_)])
    state = solves.argmax(axis=0)
    rows = weighted_counts(state, table.weights, tiers + 1)
    return PomdpPolicy(
        bins=table.bins,
        prior=_shares(rows, laplace),
        observation=tuple(
            _observation(place, state, table.weights, shape=(tiers + 1, bins.count), laplace=laplace)
            for place, bins in zip(table.places, table.bins, strict=True)
        ),
        quality=_quality(table, state, rows),
        costs=table.costs,
        lam=lam,
        abstain_below=abstain_below,
    )


def _shares(counts: NDArray[np.float64], laplace: float) -> tuple[float, ...]:
    return tuple(((counts + laplace) / (counts.sum() + laplace * counts.size)).tolist())


def _observation(
    place: NDArray[np.intp],
    state: NDArray[np.intp],
    weights: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    laplace: float,
) -> tuple[tuple[float, ...], ...]:
    states, bins = shape
    counts = weighted_counts(state * bins + place, weights, states * bins).reshape(shape)
    return tuple(_shares(row, laplace) for row in counts)


def _quality(table: TierTable, state: NDArray[np.intp], rows: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    found = []
    for tier, quality in enumerate(table.quality):
        sums = weighted_counts(state, table.weights * quality, rows.size)
        by_definition = (np.arange(rows.size) <= tier).astype(np.float64)
        means = np.divide(sums, rows, out=by_definition, where=rows > 0.0)
        found.append(tuple(np.clip(means, 0.0, 1.0).tolist()))
    return tuple(found)
