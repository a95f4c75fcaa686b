"""All plots of an evaluation, or why one is missing. Only this module takes columns out of an evaluation to draw."""

from __future__ import annotations

import numpy as np

from automix_graph.evaluation.call_costs import unit_label
from automix_graph.evaluation.curve import escalation_curve
from automix_graph.evaluation.outcomes import Tier, confidence_of, has_judgement
from automix_graph.evaluation.question_costs import question_costs
from automix_graph.evaluation.report import (
    break_even_chart,
    cost_quality,
    gain_plot,
    outcome_histogram,
    reliability,
)
from automix_graph.evaluation.report.cost_quality import Path, Point
from automix_graph.evaluation.report.numerals import with_span
from automix_graph.evaluation.report.plot import Absent, Plot
from automix_graph.evaluation.report.theme import Theme
from automix_graph.evaluation.results import Evaluation
from automix_graph.evaluation.undefined import Undefined, only_two_tiers, value_of


def draw_all(evaluation: Evaluation, theme: Theme) -> tuple[Plot | Absent, ...]:
    """Draw every plot that the outcomes allow.

    Args:
        evaluation: of two tiers or more; some plots are defined for two only.
        theme: of the colours.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return (
        _cost_quality(evaluation, theme),
        _break_even(evaluation, theme),
        _reliability(evaluation, theme),
        _outcomes(evaluation, theme),
        _gain(evaluation, theme),
    )


def _cost_quality(evaluation: Evaluation, theme: Theme) -> Plot:
    path = no_path = None
    if len(evaluation.outcomes.tiers) == 2:
        curve = escalation_curve(evaluation.outcomes)
        path = Path(cost=curve.cost, quality=curve.quality)
    else:
        no_path = only_two_tiers(len(evaluation.outcomes.tiers)).reason
    return cost_quality.cost_quality(
        [*_models(evaluation), *_policies(evaluation), *_oracle(evaluation)],
        path,
        theme=theme,
        unit=unit_label(evaluation.outcomes.unit),
        no_path=no_path,
    )


def _models(evaluation: Evaluation) -> list[Point]:
    tiers, measured = evaluation.outcomes.tiers, evaluation.tiers.intervals
    ends = {0: "small", len(tiers) - 1: "large"}
    return [
        Point(
            name=f"{tier.name} alone",
            kind="model",
            cost=float(tier.alone_cost.mean()),
            quality=float(tier.quality.mean()),
            cost_interval=measured.get(f"{ends.get(at)}_cost"),
            quality_interval=measured.get(ends.get(at, "")),
        )
        for at, tier in enumerate(tiers)
    ]


def _policies(evaluation: Evaluation) -> list[Point]:
    results = [*evaluation.policies]
    if not isinstance(evaluation.hindsight, Undefined):
        results.append(evaluation.hindsight)
    found = []
    for result in results:
        values, intervals = result.measures.values, result.measures.intervals
        cost, quality = value_of(values["cost"]), value_of(values["quality"])
        if cost is None or quality is None:
            continue
        found.append(
            Point(
                name="best threshold in hindsight" if result.in_hindsight else result.name,
                kind="hindsight" if result.in_hindsight else "policy",
                cost=cost,
                quality=quality,
                cost_interval=intervals["cost"],
                quality_interval=intervals["quality"],
            )
        )
    return found


def _oracle(evaluation: Evaluation) -> list[Point]:
    values, intervals = evaluation.tiers.values, evaluation.tiers.intervals
    cost, quality = value_of(values["oracle_cost"]), value_of(values["oracle"])
    if cost is None or quality is None:
        return []
    return [
        Point(
            name="oracle",
            kind="oracle",
            cost=cost,
            quality=quality,
            cost_interval=intervals["oracle_cost"],
            quality_interval=intervals["oracle"],
        )
    ]


def _break_even(evaluation: Evaluation, theme: Theme) -> Plot | Absent:
    tiers = evaluation.outcomes.tiers
    if len(tiers) != 2:
        return Absent(name="break-even", title=break_even_chart.TITLE, reason=only_two_tiers(len(tiers)).reason)
    costs = question_costs(evaluation.outcomes)
    stands = [
        (result.name, 1.0 - result.cascade.escalated, float(result.cascade.cost.mean()))
        for result in evaluation.policies
    ]
    return break_even_chart.break_even_chart(costs, stands, theme=theme, unit=unit_label(evaluation.outcomes.unit))


def _reliability(evaluation: Evaluation, theme: Theme) -> Plot | Absent:
    tier = evaluation.outcomes.small
    judged = has_judgement(tier)
    reason = _unjudged(tier)
    if tier.graded:
        reason = f"the quality of {tier.name} is not only 0 and 1, so that its answers are not right or wrong"
    if reason is not None:
        return Absent(name="reliability", title=reliability.TITLE, reason=reason)
    return reliability.reliability(
        confidence_of(tier)[judged],
        tier.quality[judged] == 1.0,
        tier=tier.name,
        scores=_scores(evaluation),
        theme=theme,
    )


def _scores(evaluation: Evaluation) -> str:
    values, intervals = evaluation.tiers.values, evaluation.tiers.intervals
    if isinstance(values["ece"], Undefined):
        return ""
    ece, brier = (with_span(values[name], intervals[name], "ratio") for name in ("ece", "brier"))
    return f"ECE {ece}, Brier score {brier}."


def _outcomes(evaluation: Evaluation, theme: Theme) -> Plot | Absent:
    outcomes = evaluation.outcomes
    reason = only_two_tiers(len(outcomes.tiers)).reason if len(outcomes.tiers) != 2 else _unjudged(outcomes.small)
    if reason is not None:
        return Absent(name="outcomes", title=outcome_histogram.TITLE, reason=reason)
    judged = np.flatnonzero(has_judgement(outcomes.small))
    confidence = confidence_of(outcomes.small)[judged]
    small, large = (tier.quality[judged] for tier in outcomes.tiers)
    return outcome_histogram.outcome_histogram(confidence, small, large, theme=theme)


def _gain(evaluation: Evaluation, theme: Theme) -> Plot | Absent:
    gain = evaluation.gain
    if isinstance(gain, Undefined) or not gain:
        reason = gain.reason if isinstance(gain, Undefined) else "there is no confidence"
        return Absent(name="gain", title=gain_plot.TITLE, reason=reason)
    return gain_plot.gain_plot(gain, evaluation.gain_intervals, theme=theme)


def _unjudged(tier: Tier) -> str | None:
    return None if has_judgement(tier).any() else f"every verification of {tier.name} failed"
