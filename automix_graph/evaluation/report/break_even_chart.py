"""The break-even chart: what a question costs at every accept rate, against always asking the large model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from automix_graph.costs import QuestionCosts
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.report.canvas import blank, drawable, drawing, legend_below
from automix_graph.evaluation.report.cost_quality import POLICY_MARKERS
from automix_graph.evaluation.report.numerals import numeral
from automix_graph.evaluation.report.plot import Numbers, Plot
from automix_graph.evaluation.report.theme import PALETTES, Theme

TITLE: Final = "Break-even"

Stand = tuple[str, float, float]
"""A policy's name, the share of small answers that it keeps, and the mean cost of a question under it."""


def break_even_chart(costs: QuestionCosts, policies: Sequence[Stand], *, theme: Theme, unit: str) -> Plot:
    """Draw the chart.

    Args:
        costs: means over all questions, all of them known, in the unit.
        policies: where each stands.
        theme: of the colours.
        unit: of costs; empty where nobody said.
    """
    always, all_kept, none_kept = costs.always_large, costs.expected(1.0), costs.expected(0.0)
    if always is None or all_kept is None or none_kept is None:
        raise ConfigurationError(f"the costs are {costs!r}; a break-even chart needs all of them")
    palette = PALETTES[theme]
    rate = costs.break_even_accept_rate
    label = f"mean cost of a question ({drawable(unit)})" if unit else "mean cost of a question"
    with drawing():
        figure, axes = blank(theme, x="accept rate: share of small answers kept", y=label)
        axes.plot([0, 1], [none_kept, all_kept], color=palette["policy"], lw=1.6, label="cascade (mean costs)")
        axes.axhline(always, ls="--", color=palette["large"], lw=1.4, label="always large")
        if rate is not None:
            axes.axvline(rate, ls=":", color=palette["ink"], lw=1.2, label=f"break-even at {numeral(rate, 'share')}")
        for number, (name, accepted, cost) in enumerate(policies):
            marker = POLICY_MARKERS[number % len(POLICY_MARKERS)]
            axes.plot([accepted], [cost], marker, color=palette["policy"], ms=6.5, zorder=3, label=drawable(name))
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(0, 1.08 * max(always, none_kept, *(cost for _, _, cost in policies)) or 1.0)
        legend_below(figure, axes, theme)
    return Plot(
        name="break-even",
        title=TITLE,
        caption=_caption(costs, policies),
        figure=figure,
        numbers=_numbers(costs, policies),
    )


def _caption(costs: QuestionCosts, policies: Sequence[Stand]) -> str:
    rate = costs.break_even_accept_rate
    if rate is None:
        told = (
            "The cascade never costs less than always asking the large model: a small answer with its verification "
            "already costs as much as a large answer."
        )
    else:
        told = (
            "The cascade costs less than always asking the large model when more than "
            f"{numeral(rate, 'share')} of the small answers are kept."
        )
    stands = " ".join(
        f"Policy {name} keeps {numeral(accepted, 'share')} and costs {numeral(cost, 'amount')} a question."
        for name, accepted, cost in policies
    )
    return (
        f"{told} {stands} The line takes the mean costs for every question; a policy lies off it where the questions "
        "that it escalates are dearer or cheaper than the mean. What the answers are worth is in the plot of quality."
    )


def _numbers(costs: QuestionCosts, policies: Sequence[Stand]) -> Numbers:
    parts = {
        "small answer": costs.small,
        "verification": costs.verify,
        "large answer after a rejected one": costs.escalate,
        "small model alone": costs.always_small,
        "large model alone": costs.always_large,
        **{f"policy {name}": cost for name, _, cost in policies},
    }
    rows = tuple((name, "" if value is None else numeral(value, "amount")) for name, value in parts.items())
    return Numbers(headers=("mean cost of a question", "value"), rows=rows)
