"""The cost-quality curve: what a cascade buys at every threshold, beside its models, their mix and the policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.report.canvas import blank, drawable, drawing, legend_below
from automix_graph.evaluation.report.numerals import numeral, span
from automix_graph.evaluation.report.plot import Numbers, Plot
from automix_graph.evaluation.report.theme import PALETTES, Role, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["model", "policy", "hindsight", "oracle"]

POLICY_MARKERS: Final = "os^vPXhp"
_CORNERS: Final = 400
"""Points that a curve is drawn with at most; more cannot be seen at this size."""

TITLE: Final = "Quality against cost"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A model, a policy or the oracle.

    Attributes:
        name: for the legend.
        kind: what it is.
        cost: mean of a question.
        quality: mean, in [0, 1].
        cost_interval: of the mean cost; None where it is not known.
        quality_interval: of the mean quality; None where it is not known.
    """

    name: str
    kind: Kind
    cost: float
    quality: float
    cost_interval: Interval | None = None
    quality_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """The cascade at every threshold.

    Attributes:
        cost: shape (k,), increasing.
        quality: shape (k,).
    """

    cost: NDArray[np.float64]
    quality: NDArray[np.float64]

    def thinned(self) -> Path:
        """Return the path with no more points than can be seen, its ends among them."""
        kept = np.unique(np.linspace(0, self.cost.size - 1, min(self.cost.size, _CORNERS)).round().astype(int))
        return Path(cost=self.cost[kept], quality=self.quality[kept])


def cost_quality(
    points: Sequence[Point], path: Path | None, *, theme: Theme, unit: str, no_path: str | None = None
) -> Plot:
    """Draw the curve.

    Args:
        points: the models first, cheapest first, then all others.
        path: the cascade at every threshold; None where one threshold does not describe it.
        theme: of the colours.
        unit: of costs; empty where nobody said.
        no_path: why there is no path, for the caption.
    """
    label = f"mean cost of a question ({drawable(unit)})" if unit else "mean cost of a question"
    with drawing():
        figure, axes = blank(theme, x=label, y="mean quality")
        models = [point for point in points if point.kind == "model"]
        first, last = models[0], models[-1]
        muted, policy = PALETTES[theme]["muted"], PALETTES[theme]["policy"]
        axes.plot([first.cost, last.cost], [first.quality, last.quality], "--", color=muted, lw=1.2, label="random mix")
        if path is not None:
            thin = path.thinned()
            axes.plot(thin.cost, thin.quality, "-", color=policy, lw=1.6, alpha=0.75, label="cascade, every threshold")
        for number, point in enumerate(points):
            _mark(axes, point, number, len(models), theme)
        axes.margins(0.06)
        legend_below(figure, axes, theme)
    return Plot(
        name="cost-quality",
        title=TITLE,
        caption=_caption(first, last, points, path, no_path),
        figure=figure,
        numbers=_numbers(points),
    )


def _mark(axes: Axes, point: Point, number: int, models: int, theme: Theme) -> None:
    role, marker = _look(point, number, models)
    colour = PALETTES[theme][role]
    axes.errorbar(
        [point.cost],
        [point.quality],
        xerr=_arms(point.cost, point.cost_interval),
        yerr=_arms(point.quality, point.quality_interval),
        fmt="none",
        color=colour,
        elinewidth=1.0,
        capsize=2.0,
        zorder=3,
    )
    axes.plot(
        [point.cost],
        [point.quality],
        marker,
        color=colour,
        markerfacecolor=PALETTES[theme]["paper"] if point.kind == "hindsight" else colour,
        markersize=10.0 if point.kind == "oracle" else 6.5,
        zorder=4,
        label=drawable(point.name),
    )


def _look(point: Point, number: int, models: int) -> tuple[Role, str]:
    match point.kind:
        case "oracle":
            return "oracle", "*"
        case "hindsight":
            return "hindsight", "D"
        case "policy":
            return "policy", POLICY_MARKERS[(number - models) % len(POLICY_MARKERS)]
        case "model":
            role: Role = "small" if number == 0 else "large" if number == models - 1 else "both"
            return role, "<" if number == 0 else ">" if number == models - 1 else "p"


def _arms(value: float, interval: Interval | None) -> list[list[float]] | None:
    """Return the lengths of error bars. A percentile interval need not hold the estimate; bars cannot be negative."""
    if interval is None or interval.low is None or interval.high is None:
        return None
    return [[max(0.0, value - interval.low)], [max(0.0, interval.high - value)]]


def _caption(first: Point, last: Point, points: Sequence[Point], path: Path | None, no_path: str | None) -> str:
    told = [
        f"Mean quality against mean cost. Quality is {numeral(first.quality, 'quality')} at cost "
        f"{numeral(first.cost, 'amount')} for {first.name}, and {numeral(last.quality, 'quality')} at "
        f"{numeral(last.cost, 'amount')} for {last.name}; the dashed line between them is what sending a random share "
        "of the questions to each would give."
    ]
    if path is not None:
        told.append(
            "The solid line is the cascade at every threshold, from nothing escalated at cost "
            f"{numeral(float(path.cost[0]), 'amount')} to everything at {numeral(float(path.cost[-1]), 'amount')}. "
            "Where it lies above the dashed line, verifying earns what it costs."
        )
    elif no_path:
        told.append(f"There is no curve of all thresholds: {no_path}.")
    told += [
        f"Policy {point.name}: quality {numeral(point.quality, 'quality')} at cost {numeral(point.cost, 'amount')}."
        for point in points
        if point.kind == "policy"
    ]
    return " ".join([*told, "Costs of the cascade include the verifications; bars are bootstrap intervals."])


def _numbers(points: Sequence[Point]) -> Numbers:
    rows = tuple(
        (
            point.name,
            numeral(point.cost, "amount"),
            span(point.cost_interval, "amount") or "",
            numeral(point.quality, "quality"),
            span(point.quality_interval, "quality") or "",
        )
        for point in points
    )
    return Numbers(headers=("", "mean cost", "interval", "mean quality", "interval"), rows=rows)
