"""The library of the AutoMix paper, automix-llm 1.0.3, on tables of outcomes: its column names and decisions.

Half of its column names are fixed in its code, so that outcomes are put under these. It knows two models. Its decisions
are asked for with ``run``, as its own training does; its ``evaluate`` gives the same, a row at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import automix
import numpy as np
import pandas as pd

from automix_graph.evaluation import Outcomes

SMALL, LARGE, SURE = "llama13b_f1", "llama70b_f1", "p_ver_13b"

METHODS: Final[dict[str, Callable[[], automix.Threshold]]] = {
    "Threshold(8)": lambda: automix.Threshold(num_bins=8),
    "Threshold(100)": lambda: automix.Threshold(num_bins=100),
    "POMDP(8)": lambda: automix.POMDP(num_bins=8),
}
"""Eight bins are those of its documentation; a confidence that is no share of eight votes can do with more."""


def frame_of(outcomes: Outcomes) -> pd.DataFrame:
    """Return two tiers under the names that the library knows."""
    small, large = outcomes.small.quality, outcomes.large.quality
    category = np.where(small >= 0.5, "GOOD", np.where(large >= 0.5, "NEEDY", "HOPELESS"))
    return pd.DataFrame({SMALL: small, LARGE: large, SURE: outcomes.small.confidence, "category": category})


def proposing(method: str, outcomes: Outcomes) -> automix.Threshold:
    """Return a method of `METHODS` with its parameters for some outcomes worked out once, for several trainings."""
    made = METHODS[method]()
    points = made.generate_points(frame_of(outcomes), verifier_column=SURE)
    made.generate_points = lambda data, verifier_column: points
    return made


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A method with the parameter that its training chose."""

    trained: automix.Automix

    @classmethod
    def on(cls, outcomes: Outcomes, method: automix.Threshold, *, within: tuple[float, float] | None = None) -> Self:
        """Train a method for the largest lift of the incremental benefit per cost.

        Args:
            outcomes: of two tiers.
            method: one of `METHODS`, or of `proposing`.
            within: least and most mean cost of the parameters to choose from; None: any.

        Raises:
            ValueError: no parameter is within.
        """
        small, large = outcomes.tiers
        trained = automix.Automix(
            method,
            costs=[float(small.cost[0]), float(large.cost[0])],
            verifier_cost=float(small.verify_cost[0]),
        )
        trained.train(frame_of(outcomes), cost_constraint=within)
        return cls(trained=trained)

    def escalated(self, outcomes: Outcomes) -> np.ndarray:
        """Return which questions go to the large model, shape (n,)."""
        method = self.trained.method
        return np.asarray(method.run(frame_of(outcomes), self.trained.best_param), dtype=np.bool_)
