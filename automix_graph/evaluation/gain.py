"""What the large model adds to the small one, by confidence: E[large - small | confidence].

Where the gain does not fall with rising confidence, escalating below a threshold is the wrong policy: the small answers
of least confidence may belong to questions that the large model cannot answer either. Questions whose verification
failed have no confidence and are in no bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes, confidence_of, has_judgement


@dataclass(frozen=True, kw_only=True)
class GainBin:
    """Questions of similar confidence.

    Attributes:
        low: least confidence in the bin.
        high: greatest confidence in the bin.
        n: questions.
        small: mean quality of the small model on them.
        large: mean quality of the large model on them.

    Example:
        >>> GainBin(low=0.2, high=0.3, n=50, small=0.25, large=0.75).gain
        0.5
    """

    low: float
    high: float
    n: int
    small: float
    large: float

    @property
    def gain(self) -> float:
        """Mean quality that the large model adds; negative where it makes answers worse."""
        return self.large - self.small


def bins_of(confidence: NDArray[np.float64], bins: int = 10) -> NDArray[np.intp]:
    """Return the bin of each confidence, numbered from 0 by rising confidence.

    Bins hold the same number of questions as far as equal confidences allow, which are never parted; where they are
    many, there are fewer bins.

    Args:
        confidence: shape (n,), n >= 1.
        bins: how many at most; at least 1.

    Raises:
        ConfigurationError: fewer than 1 bin is asked for.

    Example:
        >>> bins_of(np.array([0.9, 0.1, 0.5, 0.5]), bins=2)
        array([1, 0, 1, 1])
    """
    if bins < 1:
        raise ConfigurationError(f"bins is {bins!r}; give at least 1")
    edges = np.sort(confidence)[np.arange(1, bins) * confidence.size // bins]
    found: NDArray[np.intp] = np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True)[1]
    return found


def gain_by_confidence(outcomes: Outcomes, bins: int = 10) -> list[GainBin]:
    """Return what the last tier adds to the first one, in bins of equal mass of the confidence in the first.

    Empty where every verification failed.

    Args:
        outcomes: of every tier.
        bins: how many at most; at least 1.

    Raises:
        ConfigurationError: fewer than 1 bin is asked for.
    """
    judged = outcomes.take(np.flatnonzero(has_judgement(outcomes.small)))
    confidence = confidence_of(judged.small)
    if not confidence.size:
        return []
    bin_of = bins_of(confidence, bins)
    found = []
    for number in range(int(bin_of.max()) + 1):
        inside = bin_of == number
        found.append(
            GainBin(
                low=float(confidence[inside].min()),
                high=float(confidence[inside].max()),
                n=int(inside.sum()),
                small=float(judged.small.quality[inside].mean()),
                large=float(judged.large.quality[inside].mean()),
            )
        )
    return found
