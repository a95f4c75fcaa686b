"""What a family of policies is worth on questions that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.families import Family, fit
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.splitting import places_of
from automix_graph.calibration.targets import Expectation
from automix_graph.evaluation.cascade import replay

FOLDS: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """What every question would have come to under a policy that was fitted without it.

    Attributes:
        quality: shape (n,).
        cost: shape (n,).
        escalated: shape (n,), 0 or 1.
    """

    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    escalated: NDArray[np.float64]

    def net(self, lam: float) -> NDArray[np.float64]:
        """Return quality - lam * cost of each question, shape (n,)."""
        return self.quality - lam * self.cost


def folds_of(rows: QuestionRows, *, seed: int) -> NDArray[np.intp]:
    """Return the fold of each row, shape (n,); the rows of a question share one.

    Example:
        >>> from automix_graph.evaluation import Outcomes, Tier
        >>> small = Tier(name="small", quality=[1, 0, 1], cost=1, confidence=[0.9, 0.3, 0.9])
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1, 1], cost=20)))
        >>> sorted(folds_of(QuestionRows.of(table, ["q", "p", "q"]), seed=0).tolist())
        [0, 1, 1]
    """
    return places_of(rows.codes, seed=seed) % FOLDS


def cross_validate(family: Family, rows: QuestionRows, target: Expectation, folds: NDArray[np.intp]) -> HeldOut:
    """Fit a family to all folds but one, and follow its policy on that one, for each fold.

    Where some rows do not let a rule meet the target, the one that comes nearest is followed.

    Raises:
        ConfigurationError: the rows are too few for the family.
    """
    found = np.empty((3, rows.n))
    for fold in range(FOLDS):
        held = np.flatnonzero(folds == fold)
        fitted = fit(family, rows.take(np.flatnonzero(folds != fold)), target)
        cascade = replay(rows.outcomes.take(held), fitted.policy)
        found[:, held] = cascade.quality, cascade.cost, cascade.beyond_first
    return HeldOut(quality=found[0], cost=found[1], escalated=found[2])
