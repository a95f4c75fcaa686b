"""The best quality that a set of cascades and models reaches for a cost, mixing them at random where that helps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automix_graph.columns import numbers, same_length
from automix_graph.evaluation.curve import EscalationCurve, area
from automix_graph.evaluation.lift import Ends
from automix_graph.evaluation.undefined import Measured, Undefined


def frontier(
    cost: NDArray[np.float64], quality: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the non-decreasing convex hull of points (cost, quality): the least concave function above all of them.

    RouterBench (arXiv 2403.12031, section 3.2). Its slopes are the antitonic regression of the slopes between the
    points, weighted by their distance (Barlow et al. 1972), with falling ones made flat. Takes O(n log n).

    Args:
        cost: shape (n,).
        quality: shape (n,).

    Returns:
        The distinct costs, increasing, and the hull there.

    Raises:
        ConfigurationError: a column is empty or holds what it may not, or they differ in length.

    Example:
        >>> frontier(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 0.1, 1.0, 0.5]))
        (array([0., 1., 2., 4.]), array([0. , 0.5, 1. , 1. ]))
    """
    from scipy.optimize import isotonic_regression  # slow to import, and only this function needs it

    cost, quality = numbers("cost", cost), numbers("quality", quality)
    same_length({"cost": cost, "quality": quality})
    order = np.argsort(cost, kind="stable")
    x, starts = np.unique(cost[order], return_index=True)
    y = np.maximum.reduceat(quality[order], starts)
    if x.size == 1:
        return x, y
    width = np.diff(x)
    slopes = isotonic_regression(np.diff(y) / width, weights=width, increasing=False).x
    return x, y[0] + np.append(0.0, np.cumsum(np.maximum(slopes, 0.0) * width))


def aiq(curve: EscalationCurve, ends: Ends) -> Measured:
    """Return the average quality over the costs between the two models (RouterBench, arXiv 2403.12031).

    The area under the `frontier` of the small model alone, the cascade at every share escalated, and the large model
    alone, from the cost of the small model to that of the large one, divided by that range. The range depends on the
    models only, so cascades over the same two can be compared. Escalating everything costs more than the large model
    alone; such points count in the hull, but not in the range.

    Undefined where the large model costs no more than the small one.
    """
    extra = ends.extra_cost
    if isinstance(extra, Undefined):
        return extra
    x, y = frontier(
        np.concatenate(([ends.small_cost], curve.cost, [ends.large_cost])),
        np.concatenate(([ends.small_quality], curve.quality, [ends.large_quality])),
    )
    inside = (x >= ends.small_cost) & (x <= ends.large_cost)
    return area(x[inside], y[inside]) / extra
