"""What becomes of every question when tiers are asked one after the other until a policy keeps an answer.

Every answer and every verification on the way is paid for, and nothing else: with tiers 1, 2, …, a question that ends
at tier t costs the answers of those of tiers 1 to t that were asked and the verifications of these, of which the last
tier has none. For two tiers that is small + verification + (if escalated) large. As in the graph, a draft whose
verification failed escalates. A question that a policy gives up has no answer, which is worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes, Tier, confidence_of, judged_of
from automix_graph.policies import (
    ABSTAIN,
    SKIPPED,
    ColumnPolicy,
    MovingPolicy,
    Paths,
    Policy,
    decide,
    follow,
)
from automix_graph.records import Verdict, Verification

METHOD: Final = "table"
"""Names the verifications that are made up where a table has confidences only."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cascade:
    """Where every question ended.

    Attributes:
        route: shape (n,), the position of the tier whose answer was kept, from 0; `ABSTAIN` where none was.
        quality: shape (n,), of the answer that was kept; 0 where none was.
        cost: shape (n,), of all answers and verifications on the way.
        asked: shape (n, tiers), whether each tier was asked; None: all up to that of the route.

    Example:
        >>> Cascade(route=np.array([0, 1]), quality=np.array([1.0, 1.0]), cost=np.array([1.5, 21.5])).escalated
        0.5
    """

    route: NDArray[np.intp]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    asked: NDArray[np.bool_] | None = None

    def reached(self, tier: int) -> NDArray[np.bool_]:
        """Return which questions were put to the tier at a position, shape (n,)."""
        if self.asked is None:
            return self.route >= tier
        return self.asked[:, tier]

    @property
    def beyond_first(self) -> NDArray[np.bool_]:
        """Which questions went beyond the first tier, shape (n,); those that were given up there did not."""
        if self.asked is None:
            return self.route > 0
        return np.asarray(self.asked[:, 1:].any(axis=1))

    @property
    def escalated(self) -> float:
        """The share of questions that went beyond the first tier."""
        return float(np.mean(self.beyond_first))

    @property
    def abstained(self) -> float:
        """The share of questions that were given up."""
        return float(np.mean(self.route == ABSTAIN))

    def take(self, rows: NDArray[np.intp]) -> Cascade:
        """Return the cascade of these questions only, in this order; a question may come more than once."""
        asked = None if self.asked is None else self.asked[rows]
        return Cascade(route=self.route[rows], quality=self.quality[rows], cost=self.cost[rows], asked=asked)


def replay(outcomes: Outcomes, policy: Policy) -> Cascade:
    """Return where every question ends under a policy, without calling a model.

    A `ColumnPolicy` or `MovingPolicy` decides about all questions at once, any other one about each question, from its
    recorded verifications; where only confidences are known, the verdict is CORRECT above 0.5. Tiers that are skipped
    cost nothing.

    Args:
        outcomes: of every tier.
        policy: decides at every tier but the last.

    Raises:
        ConfigurationError: the policy returned something else than a decision, or one that goes to no tier, or one that
            decides about all questions at once did not return one decision a question.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20)))
        >>> replay(table, Threshold(0.7)).cost
        array([ 1.5, 21.5])
    """
    if isinstance(policy, MovingPolicy | ColumnPolicy):
        return _walked(outcomes, follow(policy, [judged_of(tier) for tier in outcomes.tiers[:-1]]))
    return _walked(outcomes, _one_by_one(outcomes, policy))


def asking_cost(tier: Tier) -> NDArray[np.float64]:
    """Return what asking a tier costs, shape (n,): its answer, and the verification of all but the last tier.

    Example:
        >>> asking_cost(Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5))
        array([1.5, 1.5])
    """
    return tier.cost if tier.confidence is None else tier.cost + tier.verify_cost


def _walked(outcomes: Outcomes, paths: Paths) -> Cascade:
    """Return what the answers at the ends of some paths are worth, and what the paths cost."""
    qualities = [np.zeros(outcomes.n), *(tier.quality for tier in outcomes.tiers)]
    cost = np.zeros(outcomes.n)
    for position, tier in enumerate(outcomes.tiers):
        cost += np.where(paths.asked[:, position], asking_cost(tier), 0.0)
    # What is given up stands one place before the first tier.
    assert ABSTAIN == -1
    return Cascade(route=paths.end, quality=np.choose(paths.end + 1, qualities), cost=cost, asked=paths.asked)


def run_cascade(outcomes: Outcomes, kept: Sequence[NDArray[np.bool_]]) -> Cascade:
    """Send every question up the tiers until an answer is kept.

    Args:
        outcomes: of every tier.
        kept: for each tier but the last, whether its answer would be kept if the question came so far; shape (n,).

    Raises:
        ConfigurationError: there is not one column for each tier but the last, or one has another length.

    Example:
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20)))
        >>> run_cascade(table, [np.array([True, False])]).cost
        array([ 1.5, 21.5])
    """
    judged = outcomes.tiers[:-1]
    if len(kept) != len(judged) or any(column.shape != (outcomes.n,) for column in kept):
        shapes = [column.shape for column in kept]
        raise ConfigurationError(
            f"kept has shapes {shapes!r}; give {len(judged)} of shape ({outcomes.n},), one a verified tier"
        )
    first = np.ones(outcomes.n, dtype=np.bool_)
    asked = np.logical_and.accumulate(np.column_stack([first, *(~column for column in kept)]), axis=1)
    return _walked(outcomes, Paths(asked=asked, end=asked.sum(axis=1) - 1))


def _one_by_one(outcomes: Outcomes, policy: Policy) -> Paths:
    """Ask a policy about each question in turn."""
    tiers = len(outcomes.tiers)
    asked = np.zeros((outcomes.n, tiers), dtype=np.bool_)
    end = np.empty(outcomes.n, dtype=np.intp)
    for row in range(outcomes.n):
        history: list[Verification] = []
        position = 0
        while True:
            asked[row, position] = True
            if position == tiers - 1:
                break
            history += [SKIPPED] * (position - len(history))
            history.append(_verification(outcomes.tiers[position], row))
            going = _next(policy, history, tiers)
            if going in {position, ABSTAIN}:
                position = going
                break
            position = going
        end[row] = position
    return Paths(asked=asked, end=end)


def _next(policy: Policy, history: Sequence[Verification], tiers: int) -> int:
    """Return where a policy sends a question: to the tier it is at, where it stays, to a later one, or `ABSTAIN`."""
    decision, position = decide(policy, history), len(history) - 1
    if decision.accept:
        return position
    if decision.abstain:
        return ABSTAIN
    if decision.next_tier is None:
        return position + 1
    if decision.next_tier >= tiers:
        raise ConfigurationError(
            f"policy {policy.name!r} sends a question to the tier at position {decision.next_tier}, and the last of "
            f"{tiers} is {tiers - 1}",
            code="policy-decision",
        )
    return tiers - 1 if decision.next_tier == -1 else decision.next_tier


def _verification(tier: Tier, row: int) -> Verification:
    if tier.verifications is not None:
        found: Verification = tier.verifications[row]
        return found
    sure = float(confidence_of(tier)[row])
    return Verification(
        method=METHOD, verdict=Verdict.CORRECT if judged_of(tier).correct[row] else Verdict.INCORRECT, confidence=sure
    )
