"""The reliability diagram: how often an answer of some confidence is right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.report.canvas import blank_pair, drawing, legend_below
from automix_graph.evaluation.report.numerals import numeral
from automix_graph.evaluation.report.plot import Numbers, Plot
from automix_graph.evaluation.report.theme import PALETTES, Theme

BINS: Final = 10
TITLE: Final = "Reliability of the confidence"


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Answers of similar confidence.

    Attributes:
        low: lower edge of the bin.
        high: upper edge; answers on it belong to the next bin, except in the last.
        n: answers; at least 1.
        confidence: their mean confidence.
        right: how many are right.
        interval: of the share that is right, by Wilson.
    """

    low: float
    high: float
    n: int
    confidence: float
    right: int
    interval: tuple[float, float]

    @property
    def share(self) -> float:
        """The share of right answers."""
        return self.right / self.n


def wilson(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927).

    Args:
        right: successes.
        n: tries; at least 1.
        level: coverage aimed at, in (0, 1).

    Example:
        >>> [round(end, 4) for end in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, scale = right / n, 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def bins_of_equal_width(confidence: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    """Return the bin of each confidence, from 0; closed on the left, as in `automix_graph.evaluation.ece`."""
    return np.searchsorted(np.arange(1, bins) / bins, confidence, side="right")


def reliability_bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Bin]:
    """Return the bins that hold answers, by rising confidence.

    Args:
        confidence: shape (n,), in [0, 1].
        right: shape (n,).

    Example:
        >>> found = reliability_bins(np.array([0.95, 1.0, 0.3]), np.array([True, False, False]))
        >>> [(each.low, each.n, each.share) for each in found]
        [(0.3, 1, 0.0), (0.9, 2, 0.5)]
    """
    bin_of = bins_of_equal_width(confidence, BINS)
    found = []
    for number in np.unique(bin_of).tolist():
        inside = bin_of == number
        n, good = int(inside.sum()), int(right[inside].sum())
        mean = float(confidence[inside].mean())
        edges = {"low": number / BINS, "high": (number + 1) / BINS}
        found.append(Bin(**edges, n=n, confidence=mean, right=good, interval=wilson(good, n)))
    return found


def reliability(
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    *,
    tier: str,
    scores: str,
    theme: Theme,
) -> Plot:
    """Draw the diagram.

    Args:
        confidence: shape (n,), of the tier's answers, in [0, 1].
        right: shape (n,), whether they are right.
        tier: whose answers they are, for the caption.
        scores: the scores that sum the diagram up, for the caption.
        theme: of the colours.
    """
    bins = reliability_bins(confidence, right)
    palette = PALETTES[theme]
    x = [each.confidence for each in bins]
    y = np.array([each.share for each in bins])
    ends = np.array([each.interval for each in bins])
    with drawing():
        figure, axes, below = blank_pair(theme, x="confidence", y="share of right answers", lower="answers")
        axes.plot([0, 1], [0, 1], "--", color=palette["muted"], lw=1.2, label="share = confidence")
        arms = np.maximum(0.0, [y - ends[:, 0], ends[:, 1] - y])
        axes.errorbar(
            x, y, yerr=arms, fmt="o-", color=palette["small"], lw=1.2, ms=5, capsize=2.0, label="95% Wilson interval"
        )
        centres, counts = [(each.low + each.high) / 2 for each in bins], [each.n for each in bins]
        columns = below.bar(centres, counts, width=0.9 / BINS, color=palette["neither"])
        below.bar_label(columns, [f"{n:,}" for n in counts], fontsize=6.5, color=palette["ink"], padding=1)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
        below.set(ylim=(0, 1.45 * max(counts)), yticks=[])
        legend_below(figure, axes, theme)
    worst = max(bins, key=lambda each: abs(each.share - each.confidence))
    caption = (
        f"Answers of {tier} by confidence, in {BINS} bins of equal width; columns count them, bars are 95% Wilson "
        f"intervals. Points under the dashed line are overconfident. {scores} Farthest from the line: mean "
        f"confidence {numeral(worst.confidence, 'ratio')}, {numeral(worst.share, 'share')} right (n = {worst.n:,})."
    )
    return Plot(name="reliability", title=TITLE, caption=caption, figure=figure, numbers=_numbers(bins))


def _numbers(bins: list[Bin]) -> Numbers:
    rows = tuple(
        (
            f"{each.low:.1f} to {each.high:.1f}",
            f"{each.n:,}",
            numeral(each.confidence, "ratio"),
            numeral(each.share, "share"),
            f"{numeral(each.interval[0], 'share')} to {numeral(each.interval[1], 'share')}",
        )
        for each in bins
    )
    return Numbers(headers=("bin", "answers", "mean confidence", "right", "95% interval"), rows=rows)
