"""Whether the confidences of two sets of questions come from one distribution, and how far they lie apart if not.

The test is that of Kolmogorov and Smirnov for two samples. Confidences of one word or a few votes have ties, for which
its tables are wrong: the p-value is that of a permutation test, which is exact for any distribution (counted as Phipson
and Smyth 2010 do, arXiv 1603.05766). It is for one look: who tests every day at 5 % finds drift sooner or later.

How far is said by the population stability index (Siddiqi, Credit Risk Scorecards, 2006): the sum over bins of
(p - q) log(p / q), with the deciles of the reference as bins, and one more for verifications without a judgement.
Without any drift it is about (bins - 1)(1 / n + 1 / m) by chance (Yurdakul and Naranjo, Journal of Risk Model
Validation 2020), which is taken off. Below 0.1 counts as no shift, above 0.25 as a large one: a rule of thumb.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix_graph.errors import ConfigurationError

_PERMUTATIONS: Final = 999
_MOST_VALUES: Final = 128
"""At which distribution functions are compared in a permutation; more cost time and tell nothing."""
_RESAMPLES: Final = 1000
_BINS: Final = 10
_PSEUDO: Final = 0.5
"""Added to every count, so that an empty bin has a logarithm."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How two sets of confidences differ.

    Attributes:
        n: confidences at hand, those without a judgement included.
        n_reference: likewise.
        ks: largest distance of the two distribution functions, in [0, 1].
        p_value: of no difference, for one look.
        psi: population stability index, less what chance brings; 0 or more.
        psi_low: lower end of its bootstrap interval.
        psi_high: upper end.
        level: of the interval.
        bins: of the index.
    """

    n: int
    n_reference: int
    ks: float
    p_value: float
    psi: float
    psi_low: float
    psi_high: float
    level: float
    bins: int


def drift_between(confidence: ArrayLike, reference: ArrayLike, *, level: float = 0.95, seed: int = 0) -> Drift:
    """Compare the confidences of questions with those of a reference, such as the records of the calibration.

    Args:
        confidence: shape (n,), in [0, 1]; NaN where there was no judgement, which counts as below 0.
        reference: shape (m,), likewise.
        level: of the interval, in (0, 1).
        seed: of the permutations and resamples.

    Raises:
        ConfigurationError: a column is empty.

    Example:
        >>> sure = np.linspace(0, 1, 400)
        >>> same, moved = drift_between(sure, sure), drift_between(sure**3, sure)
        >>> same.p_value, same.psi, moved.p_value, moved.psi_low > 0.25
        (1.0, 0.0, 0.001, True)
    """
    ours, theirs = _column("confidence", confidence), _column("reference", reference)
    generator = np.random.default_rng(seed)
    values = np.unique(np.concatenate([ours, theirs]))
    edges = _edges(theirs)
    p, q = _binned(ours, edges), _binned(theirs, edges)
    chance = (p.size - 1) * (1 / ours.size + 1 / theirs.size)
    resampled = _index(
        generator.multinomial(ours.size, p / ours.size, size=_RESAMPLES),
        generator.multinomial(theirs.size, q / theirs.size, size=_RESAMPLES),
    )
    # A resample scatters around a sample that has scattered itself, so that chance is in it twice.
    low, high = np.quantile(resampled - 2 * chance, [(1 - level) / 2, (1 + level) / 2])
    return Drift(
        n=ours.size,
        n_reference=theirs.size,
        ks=float(_distance(_counted(ours, values), _counted(theirs, values))),
        p_value=_p_value(ours, theirs, values[:: -(-values.size // _MOST_VALUES)], generator),
        psi=max(0.0, float(_index(p, q)) - chance),
        psi_low=max(0.0, float(low)),
        psi_high=max(0.0, float(high)),
        level=level,
        bins=p.size,
    )


def _column(name: str, values: ArrayLike) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not column.size:
        raise ConfigurationError(f"{name} has shape {column.shape}; give a column with at least one confidence")
    return np.where(np.isnan(column), -1.0, column)


def _p_value(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], values: NDArray[np.float64], generator: np.random.Generator
) -> float:
    """Return how often a random split lies as far apart at these values."""
    mine, others = _counted(ours, values), _counted(theirs, values)
    drawn = generator.multivariate_hypergeometric(mine + others, ours.size, size=_PERMUTATIONS, method="marginals")
    as_far = _distance(drawn, mine + others - drawn) >= _distance(mine, others) - 1e-12
    return (1 + int(as_far.sum())) / (1 + _PERMUTATIONS)


def _counted(column: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return how many lie at each value, or between it and the next one below; the rest lie above the last."""
    return np.bincount(np.searchsorted(values, column, side="left"), minlength=values.size + 1)


def _distance(mine: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the largest distance of distribution functions, from counts along the last axis."""
    ours = mine.cumsum(axis=-1) / mine.sum(axis=-1, keepdims=True)
    return np.asarray(np.abs(ours - others.cumsum(axis=-1) / others.sum(axis=-1, keepdims=True)).max(axis=-1))


def _edges(reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where bins end: at deciles of the reference, and below 0, where there is no judgement."""
    judged = reference[reference >= 0.0]
    inner = np.quantile(judged, np.arange(1, _BINS) / _BINS, method="inverted_cdf") if judged.size else np.array([])
    return np.unique(np.concatenate([[-0.5], inner]))


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=edges.size + 1)


def _index(p: NDArray[np.intp], q: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the index of counts, over the last axis. A bin that is empty on both sides adds nothing."""
    bins = p.shape[-1]
    ours = (p + _PSEUDO) / (p.sum(axis=-1, keepdims=True) + _PSEUDO * bins)
    theirs = (q + _PSEUDO) / (q.sum(axis=-1, keepdims=True) + _PSEUDO * bins)
    return np.asarray(((ours - theirs) * np.log(ours / theirs)).sum(axis=-1))
