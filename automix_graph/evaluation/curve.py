"""Quality and cost of a two-tier cascade at every share escalated, the least confident questions first.

Questions of equal confidence cannot be told apart, so inside such a block the curve is straight: the expected value
when they escalate in random order. The order of the rows therefore changes nothing. Questions whose verification failed
are such a block, and the first to escalate, as under every policy. Every point is measured on the outcomes that the
order of the confidences is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.lift import Ends
from automix_graph.evaluation.outcomes import Outcomes, escalation_order
from automix_graph.evaluation.undefined import NOTHING, Measured, Undefined


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationCurve:
    """The corners of the curve, from nothing to everything escalated; it is straight between them.

    Attributes:
        share: shape (k + 1,), the share escalated, from 0 to 1, strictly increasing.
        quality: shape (k + 1,), mean quality there.
        cost: shape (k + 1,), mean cost there: small answers, verifications and the large answers asked for.
        thresholds: shape (k,), the distinct confidences, increasing. Keeping answers from ``thresholds[i]`` on
            escalates ``share[i]``. The first one is minus infinity where verifications failed: no policy keeps these.

    Example:
        >>> ends = np.array([0.0, 1.0])
        >>> EscalationCurve(share=ends, quality=ends, cost=1.5 + 20 * ends, thresholds=np.array([0.5])).cost
        array([ 1.5, 21.5])
    """

    share: NDArray[np.float64]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def escalation_curve(outcomes: Outcomes) -> EscalationCurve:
    """Return the curve of a cascade of two tiers.

    Raises:
        ConfigurationError: there are more tiers, which one share does not describe.

    Example:
        >>> from automix_graph.evaluation.outcomes import Tier
        >>> small = Tier(name="small", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
        >>> curve = escalation_curve(Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20))))
        >>> curve.share, curve.quality, curve.cost
        (array([0. , 0.5, 1. ]), array([0.5, 1. , 1. ]), array([ 1.5, 11.5, 21.5]))
    """
    if len(outcomes.tiers) != 2:
        raise ConfigurationError(f"an escalation curve needs two tiers; these outcomes have {len(outcomes.tiers)}")
    small, large = outcomes.tiers
    confidence = escalation_order(small)
    order = np.argsort(confidence, kind="stable")
    confidence = confidence[order]
    ends = np.append(np.flatnonzero(confidence[1:] != confidence[:-1]), outcomes.n - 1)

    def grown(base: float, added: NDArray[np.float64]) -> NDArray[np.float64]:
        return base + np.append(0.0, np.cumsum(added[order])[ends] / outcomes.n)

    return EscalationCurve(
        share=np.append(0.0, (ends + 1) / outcomes.n),
        quality=grown(float(small.quality.mean()), large.quality - small.quality),
        cost=grown(float((small.cost + small.verify_cost).mean()), large.cost),
        thresholds=confidence[ends],
    )


def area(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the area under straight lines between points, by the trapezoid rule.

    Example:
        >>> area(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 1.0]))
        2.5
    """
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2)


def apgr(curve: EscalationCurve, ends: Ends) -> Measured:
    """Return the average performance gap recovered: the integral of PGR over the share escalated, from 0 to 1.

    By the trapezoid rule, which is exact for straight pieces (RouteLLM, arXiv 2406.18665, section 3). Escalating at
    random gets 0.5.
    """
    recovered = _recovered(curve, ends)
    return recovered if isinstance(recovered, Undefined) else area(curve.share, recovered)


def cpt(curve: EscalationCurve, ends: Ends, target: float) -> Measured:
    """Return the call-performance threshold: the least share escalated at which PGR reaches the target.

    Args:
        curve: of the cascade.
        ends: its two models.
        target: of PGR, in (0, 1]; 0.5 for CPT(50 %).

    Raises:
        ConfigurationError: the target is no such number.
    """
    if not 0.0 < target <= 1.0:
        raise ConfigurationError(f"target {target!r} is not a share of the gap; use a number above 0 and up to 1")
    recovered = _recovered(curve, ends)
    if isinstance(recovered, Undefined):
        return recovered
    # Where a corner hits the target and the curve goes on flat, rounding must not move the share to the far end.
    after = int(np.argmax(recovered >= target - NOTHING))
    low, high = recovered[after - 1], recovered[after]
    start, stop = curve.share[after - 1], curve.share[after]
    return float(start + min(1.0, (target - low) / (high - low)) * (stop - start))


def best_threshold(curve: EscalationCurve, ends: Ends) -> Measured:
    """Return the threshold that turned out best: the one farthest above the line between the models.

    It maximises P_M - λ·C_M with λ the slope of that line, among the thresholds that keep something. (The largest IBC
    would be found at a handful of escalated questions.) It is chosen on the outcomes that it is measured on, so it
    flatters; it is a bound for what a threshold can do here, not a policy to use.
    """
    slope = ends.slope
    if isinstance(slope, Undefined):
        return slope
    possible = np.isfinite(curve.thresholds)
    if not possible.any():
        return Undefined("every verification failed: there is no confidence to compare with a threshold")
    worth = (curve.quality - slope * curve.cost)[:-1]
    return float(curve.thresholds[np.argmax(np.where(possible, worth, -np.inf))])


def _recovered(curve: EscalationCurve, ends: Ends) -> NDArray[np.float64] | Undefined:
    gap = ends.gap
    return gap if isinstance(gap, Undefined) else (curve.quality - ends.small_quality) / gap
