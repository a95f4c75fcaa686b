"""Rules for several tiers in one order, from strict to lax, and their certification: a threshold for each tier.

Each rule takes the thresholds that keep about the same share of the judged answers of every tier, so that one number
orders them all and one fixed sequence tests them. For two tiers the thresholds themselves are tested (`guarantees`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.certificate import Certificate
from automix_graph.calibration.guarantees import certify_sequence
from automix_graph.calibration.p_values import binomial_cdf
from automix_graph.calibration.targets import Guarantee, MaxError
from automix_graph.calibration.threshold_grid import threshold_grid
from automix_graph.evaluation.cascade import replay
from automix_graph.evaluation.outcomes import Outcomes, confidence_of
from automix_graph.policies import PerTier, Threshold

_STEPS: Final = 50


def tier_rules(selection: Outcomes, target: Guarantee, *, certification_rows: int) -> list[PerTier]:
    """Return rules to test, the strictest first; for errors from the one on that promises most, as in `error_grid`.

    Args:
        selection: that certifies nothing.
        target: what is to be guaranteed.
        certification_rows: on how many rows the rules will be tested.

    Example:
        >>> from automix_graph.calibration.targets import MaxRegret
        >>> from automix_graph.evaluation import Tier
        >>> tiers = [Tier(name=name, quality=[1, 0], cost=1, confidence=[0.9, 0.2]) for name in "ab"]
        >>> outcomes = Outcomes(tiers=(*tiers, Tier(name="c", quality=[1, 1], cost=20)))
        >>> [rule.name for rule in tier_rules(outcomes, MaxRegret(0.1, 0.1), certification_rows=2)][0]
        'per-tier(threshold(0.9), threshold(0.9))'
    """
    grids = [threshold_grid(confidence_of(tier), steps=_STEPS) for tier in selection.tiers[:-1]]
    count = max(grid.size for grid in grids)
    columns = [grid[np.arange(count) * grid.size // count] for grid in grids]
    rules = [PerTier(tuple(Threshold(float(one)) for one in levels)) for levels in zip(*columns, strict=True)]
    if not isinstance(target, MaxError):
        return rules
    kept, loss = _tallied(rules, selection, target)
    scale = certification_rows / selection.n
    expected = binomial_cdf(loss * scale, kept * scale, target.alpha)
    return rules[int(np.flatnonzero(expected == expected.min())[-1]) :]


def certify_rules(rules: Sequence[PerTier], certification: Outcomes, target: Guarantee, *, graded: bool) -> Certificate:
    """Test rules in their order on rows that did not choose them.

    An answer is kept if any tier but the last one gave it.

    Args:
        rules: of `tier_rules`.
        certification: other rows than theirs.
        target: what is to be guaranteed.
        graded: whether answers may be half right.
    """
    kept, loss = _tallied(rules, certification, target)
    return certify_sequence(
        risk="error" if isinstance(target, MaxError) else "regret",
        kept=kept,
        loss=loss,
        n=certification.n,
        alpha=target.alpha,
        delta=target.delta,
        graded=graded,
    )


def _tallied(
    rules: Sequence[PerTier], outcomes: Outcomes, target: Guarantee
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many answers each rule keeps, and what they lose, shape (m,) each."""
    kept, lost = [], []
    for rule in rules:
        cascade = replay(outcomes, rule)
        stays = cascade.route < len(outcomes.tiers) - 1
        if isinstance(target, MaxError):
            losses = 1.0 - cascade.quality
        else:
            losses = np.maximum(outcomes.large.quality - cascade.quality, 0.0)
        kept.append(int(stays.sum()))
        lost.append(float(losses[stays].sum()))
    return np.array(kept, dtype=np.int64), np.array(lost)
