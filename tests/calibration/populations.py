"""Populations of answers whose risk at every threshold is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import Polynomial


@dataclass(frozen=True, kw_only=True)
class Rows:
    confidence: np.ndarray
    small: np.ndarray
    large: np.ndarray

    def take(self, rows: slice) -> Rows:
        return Rows(confidence=self.confidence[rows], small=self.small[rows], large=self.large[rows])


@dataclass(frozen=True, kw_only=True)
class Population:
    """A hidden u, uniform in [0, 1], decides both: the confidence shows it, and the answer loses loss(u) in the mean.

    Attributes:
        loss: a polynomial in u with values in [0, 1], or in [0, 2/3] for graded answers.
        levels: how many different confidences there are; None: u itself.
        large_wrong: the share of questions whose large answer is worth nothing, whatever u is.
        failed: the share of verifications that fail, whatever u is.
        graded: a loss is 1 with probability loss(u) / 2 and 0.5 with probability loss(u), instead of 1 with loss(u).
    """

    loss: Polynomial
    levels: int | None = None
    large_wrong: float = 0.1
    failed: float = 0.0
    graded: bool = False

    def draw(self, generator: np.random.Generator, n: int) -> Rows:
        u, chance = generator.random(n), generator.random(n)
        confidence = u if self.levels is None else np.floor(u * self.levels) / self.levels
        mean = self.loss(u)
        if self.graded:
            loss = np.where(chance < mean / 2, 1.0, np.where(chance < mean * 1.5, 0.5, 0.0))
        else:
            loss = (chance < mean).astype(float)
        return Rows(
            confidence=np.where(generator.random(n) < self.failed, np.nan, confidence),
            small=1.0 - loss,
            large=(generator.random(n) >= self.large_wrong).astype(float),
        )

    def error(self, threshold: float) -> float:
        """The mean loss of the answers kept: the integral of the loss from the threshold on, over what is kept."""
        start = self._start(threshold)
        return self._integral(start) / (1.0 - start) if start < 1.0 else 0.0

    def regret(self, threshold: float) -> float:
        """The mean over all: what is kept loses, where the large answer is worth something."""
        return self._integral(self._start(threshold)) * (1.0 - self.large_wrong) * (1.0 - self.failed)

    def _start(self, threshold: float) -> float:
        """The least u that is kept."""
        return threshold if self.levels is None else np.ceil(threshold * self.levels - 1e-9) / self.levels

    def _integral(self, start: float) -> float:
        whole = self.loss.integ()
        return float(whole(1.0) - whole(start))


def constant(mean: float) -> Population:
    """Useless confidence: every threshold has the same error."""
    return Population(loss=Polynomial([mean]))


INFORMATIVE = Population(loss=0.9 * Polynomial([1, -1]) ** 2)
"""The error at t is 0.3 (1 - t)^2."""
MISLEADING = Population(loss=Polynomial([0.05, 0, 0.35]))
"""The most confident answers are the worst."""
TIED = replace(INFORMATIVE, levels=4, failed=0.1)
GRADED = Population(loss=0.6 * Polynomial([1, -1]) ** 2, graded=True)
