"""What becomes of every question when tiers are asked one after the other until a policy keeps an answer.

Every answer and every verification on the way is paid for: with tiers 1, 2, …, a question that ends at tier t costs the
answers of tiers 1 to t and the verifications of tiers 1 to t, of which the last tier has none. For two tiers that is
small + verification + (if escalated) large. As in the graph, a draft whose verification failed always escalates.
Skipping tiers is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.outcomes import Outcomes, Tier, confidence_of, has_judgement, judged_of
from automix_graph.policies import ColumnPolicy, Policy, decide
from automix_graph.records import Verdict, Verification

METHOD: Final = "table"
"""Names the verifications that are made up where a table has confidences only."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascade:
    """Where every question ended.

    Attributes:
        route: shape (n,), the position of the tier whose answer was kept, from 0.
        quality: shape (n,), of the answer that was kept.
        cost: shape (n,), of all answers and verifications on the way.

    Example:
        >>> Cascade(route=np.array([0, 1]), quality=np.array([1.0, 1.0]), cost=np.array([1.5, 21.5])).escalated
        0.5
    """

    route: NDArray[np.intp]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]

    @property
    def escalated(self) -> float:
        """The share of questions that went beyond the first tier."""
        return float(np.mean(self.route > 0))

    def take(self, rows: NDArray[np.intp]) -> Cascade:
        """Return the cascade of these questions only, in this order; a question may come more than once."""
        return Cascade(route=self.route[rows], quality=self.quality[rows], cost=self.cost[rows])


def replay(outcomes: Outcomes, policy: Policy) -> Cascade:
    """Return where every question ends under a policy, without calling a model.

    A `ColumnPolicy` decides about all questions at once, any other one about each question that comes so far, from its
    recorded verifications; where only confidences are known, the verdict is CORRECT above 0.5.

    Args:
        outcomes: of every tier.
        policy: decides at every tier but the last.

    Raises:
        ConfigurationError: the policy returned something else than a decision.
        ValueError: a `ColumnPolicy` did not return one decision a question.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20)))
        >>> replay(table, Threshold(0.7)).cost
        array([ 1.5, 21.5])
    """
    kept: list[NDArray[np.bool_]] = []
    here = np.ones(outcomes.n, dtype=np.bool_)
    for position, tier in enumerate(outcomes.tiers[:-1]):
        if isinstance(policy, ColumnPolicy):
            history = [judged_of(asked) for asked in outcomes.tiers[: position + 1]]
            found = _checked(policy, policy.accepts(history), outcomes.n) & has_judgement(tier)
        else:
            found = _decided(outcomes.tiers[: position + 1], policy, here)
        kept.append(found)
        here = here & ~found
    return run_cascade(outcomes, kept)


def run_cascade(outcomes: Outcomes, kept: Sequence[NDArray[np.bool_]]) -> Cascade:
    """Send every question up the tiers until an answer is kept.

    Args:
        outcomes: of every tier.
        kept: for each tier but the last, whether its answer would be kept if the question came so far; shape (n,).

    Raises:
        ValueError: there is not one column for each tier but the last, or one has another length.

    Example:
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20)))
        >>> run_cascade(table, [np.array([True, False])]).cost
        array([ 1.5, 21.5])
    """
    judged = outcomes.tiers[:-1]
    if len(kept) != len(judged) or any(column.shape != (outcomes.n,) for column in kept):
        shapes = [column.shape for column in kept]
        raise ValueError(
            f"kept has shapes {shapes!r}; give {len(judged)} of shape ({outcomes.n},), one a verified tier"
        )
    route = np.zeros(outcomes.n, dtype=np.intp)
    cost = np.zeros(outcomes.n)
    here = np.ones(outcomes.n, dtype=np.bool_)
    for position, tier in enumerate(outcomes.tiers):
        cost += np.where(here, tier.cost, 0.0)
        route[here] = position
        if position < len(judged):
            cost += np.where(here, tier.verify_cost, 0.0)
            here = here & ~kept[position]
    quality = np.choose(route, [tier.quality for tier in outcomes.tiers])
    return Cascade(route=route, quality=quality, cost=cost)


def _checked(policy: Policy, found: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    if np.shape(found) != (n,):
        raise ValueError(
            f"policy {policy.name!r} decided in shape {np.shape(found)}; accepts(history) must return shape ({n},), "
            "one decision a question"
        )
    return np.asarray(found, dtype=np.bool_)


def _decided(asked: Sequence[Tier], policy: Policy, here: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Ask a policy about each question that has come to the last of these tiers."""
    kept = np.zeros(here.size, dtype=np.bool_)
    for row in np.flatnonzero(here):
        kept[row] = decide(policy, [_verification(tier, row) for tier in asked]).accept
    return kept


def _verification(tier: Tier, row: np.intp) -> Verification:
    if tier.verifications is not None:
        found: Verification = tier.verifications[row]
        return found
    sure = float(confidence_of(tier)[row])
    return Verification(
        method=METHOD, verdict=Verdict.CORRECT if judged_of(tier).correct[row] else Verdict.INCORRECT, confidence=sure
    )
