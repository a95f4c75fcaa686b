"""Histogram of the confidence by what became of the two answers."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.report.canvas import blank, drawing, legend_below
from automix_graph.evaluation.report.numerals import numeral
from automix_graph.evaluation.report.plot import Numbers, Plot
from automix_graph.evaluation.report.reliability import bins_of_equal_width
from automix_graph.evaluation.report.theme import PALETTES, Role, Theme

BINS: Final = 20
TITLE: Final = "Confidence by outcome"
_LOOKS: Final[tuple[tuple[Role, str], ...]] = (("both", ""), ("small", "||||"), ("large", "////"), ("neither", "xxxx"))


def groups_of(small: NDArray[np.float64], large: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Return which questions belong to each group, shape (n,) each; every question belongs to one.

    Answers that are right or wrong make four groups. Where answers may be half right, there are three: both models
    equally good, or one of them better.

    Args:
        small: quality of the small model's answers, shape (n,), in [0, 1].
        large: quality of the large model's answers, shape (n,), in [0, 1].

    Example:
        >>> found = groups_of(np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0]))
        >>> {name: int(inside.argmax()) for name, inside in found.items()}
        {'both right': 0, 'only small right': 1, 'only large right': 2, 'both wrong': 3}
    """
    better, worse = small > large, small < large
    if np.isin([small, large], [0.0, 1.0]).all():
        right = small == 1.0
        same = small == large
        return {
            "both right": same & right,
            "only small right": better,
            "only large right": worse,
            "both wrong": same & ~right,
        }
    return {"equally good": small == large, "small better": better, "large better": worse}


def outcome_histogram(
    confidence: NDArray[np.float64], small: NDArray[np.float64], large: NDArray[np.float64], *, theme: Theme
) -> Plot:
    """Draw the histogram.

    Args:
        confidence: in the small answers, shape (n,), in [0, 1].
        small: quality of the small model's answers, shape (n,), in [0, 1].
        large: quality of the large model's answers, shape (n,), in [0, 1].
        theme: of the colours.
    """
    groups = groups_of(small, large)
    bin_of = bins_of_equal_width(confidence, BINS)
    counts = {name: np.bincount(bin_of[inside], minlength=BINS) for name, inside in groups.items()}
    palette = PALETTES[theme]
    centres = (np.arange(BINS) + 0.5) / BINS
    with drawing():
        figure, axes = blank(theme, x="confidence in the small answer", y="questions")
        below = np.zeros(BINS)
        for (name, count), (role, hatch) in zip(counts.items(), _LOOKS, strict=False):
            axes.bar(
                centres,
                count,
                bottom=below,
                width=0.92 / BINS,
                color=palette[role],
                edgecolor=palette["paper"],
                linewidth=0.5,
                hatch=hatch,
                label=f"{name} ({int(count.sum()):,})",
            )
            below += count
        axes.set(xlim=(-0.02, 1.02), ylim=(0, float(below.max()) * 1.05))
        legend_below(figure, axes, theme)
    return Plot(
        name="outcomes",
        title=TITLE,
        caption=_caption(confidence, groups),
        figure=figure,
        numbers=_numbers(counts),
    )


def _caption(confidence: NDArray[np.float64], groups: dict[str, NDArray[np.bool_]]) -> str:
    told = [
        f"{name}: {int(inside.sum()):,} questions"
        + (f", median confidence {numeral(float(np.median(confidence[inside])), 'ratio')}" if inside.any() else "")
        for name, inside in groups.items()
    ]
    return (
        f"Questions by confidence in the small answer, in {BINS} bins of equal width, by which model did better. "
        f"{'; '.join(told)}. A good verifier puts the questions that only the large model gets right to the left."
    )


def _numbers(counts: dict[str, NDArray[np.intp]]) -> Numbers:
    rows = tuple(
        (f"{b / BINS:.2f} to {(b + 1) / BINS:.2f}", *(f"{int(count[b]):,}" for count in counts.values()))
        for b in range(BINS)
        if any(count[b] for count in counts.values())
    )
    return Numbers(headers=("confidence", *counts), rows=rows)
