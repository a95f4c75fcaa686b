"""What the large model adds to the small one, by confidence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.gain import GainBin
from automix_graph.evaluation.report.canvas import blank, drawing, legend_below
from automix_graph.evaluation.report.numerals import numeral, span
from automix_graph.evaluation.report.plot import Numbers, Plot
from automix_graph.evaluation.report.theme import PALETTES, Theme

TITLE: Final = "What the large model adds, by confidence"


def gain_plot(bins: Sequence[GainBin], intervals: Sequence[Interval], *, theme: Theme) -> Plot:
    """Draw E[large - small | confidence].

    Args:
        bins: by rising confidence; at least one.
        intervals: of the gain in each bin.
        theme: of the colours.
    """
    palette = PALETTES[theme]
    x = np.array([(each.low + each.high) / 2 for each in bins])
    y = np.array([each.gain for each in bins])
    low = np.array([y[at] if each.low is None else each.low for at, each in enumerate(intervals)])
    high = np.array([y[at] if each.high is None else each.high for at, each in enumerate(intervals)])
    mean = sum(each.n * each.gain for each in bins) / sum(each.n for each in bins)
    with drawing():
        figure, axes = blank(theme, x="confidence in the small answer", y="quality that the large model adds")
        axes.axhline(0.0, color=palette["ink"], lw=0.8)
        axes.axhline(mean, ls="--", color=palette["muted"], lw=1.2, label="mean of all questions")
        axes.errorbar(
            x,
            y,
            xerr=[x - [each.low for each in bins], [each.high for each in bins] - x],
            yerr=np.maximum(0.0, [y - low, high - y]),
            fmt="s",
            color=palette["large"],
            ms=5,
            elinewidth=1.0,
            capsize=2.0,
            label="large − small, with intervals",
        )
        axes.set_xlim(-0.02, 1.02)
        legend_below(figure, axes, theme)
    return Plot(
        name="gain", title=TITLE, caption=_caption(bins, mean), figure=figure, numbers=_numbers(bins, intervals)
    )


def _caption(bins: Sequence[GainBin], mean: float) -> str:
    least, most = bins[0], bins[-1]
    told = (
        f"Mean of large − small quality in {len(bins)} bins that hold about as many questions each; horizontal bars "
        f"span the confidences of a bin. Over all questions the large model adds {numeral(mean, 'difference')}."
    )
    if len(bins) == 1:
        return f"{told} All questions fall into one bin, so that the confidence tells nothing here."
    falls = all(after.gain <= before.gain for before, after in pairwise(bins))
    best = max(bins, key=lambda each: each.gain)
    shape = (
        "It falls from bin to bin, as a threshold needs."
        if falls
        else f"It does not fall all the way: it is greatest, {numeral(best.gain, 'difference')}, at confidence "
        f"{numeral(best.low, 'ratio')} to {numeral(best.high, 'ratio')}."
    )
    return (
        f"{told} In the least confident bin it adds {numeral(least.gain, 'difference')}, in the most confident "
        f"{numeral(most.gain, 'difference')}. {shape}"
    )


def _numbers(bins: Sequence[GainBin], intervals: Sequence[Interval]) -> Numbers:
    rows = tuple(
        (
            f"{numeral(each.low, 'ratio')} to {numeral(each.high, 'ratio')}",
            f"{each.n:,}",
            numeral(each.small, "quality"),
            numeral(each.large, "quality"),
            numeral(each.gain, "difference"),
            span(interval, "difference") or "",
        )
        for each, interval in zip(bins, intervals, strict=True)
    )
    return Numbers(headers=("confidence", "questions", "small", "large", "gain", "interval"), rows=rows)
