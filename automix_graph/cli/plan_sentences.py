"""What a plan comes to, in one sentence: by list prices and token counts, and as it was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from automix_graph.calibration.feasible import LEAST_QUESTIONS
from automix_graph.cli.plan_amounts import SHOWN_QUESTIONS, percent, usd
from automix_graph.cli.planned import Planned
from automix_graph.costs.comparison import LayoutCosts, Plan
from automix_graph.costs.layouts import Labels, VerifierLayout

if TYPE_CHECKING:
    from automix_graph.evaluation.recorded_workload import RecordedWorkload

_USUAL: Final = VerifierLayout(judge="large", reads="shared")
"""How hosted models judge where nobody chose."""


def sentence(plan: Plan, labels: Labels) -> str:
    """Return what the plan comes to."""
    best, earliest = plan.cheapest, plan.earliest
    if best is None or plan.outlook == "unknown":
        return "Nothing can be said: no verifier layout has a known cost."
    expected, large = usd(best.costs.expected(plan.accept_rate)), usd(best.costs.always_large)
    if plan.outlook == "never pays":
        least = min((row.costs.accepted, row.layout.name) for row in plan.rows if row.costs.accepted is not None)
        return (
            "The cascade cannot pay with any of these verifiers: even if every small answer were kept, "
            f"{SHOWN_QUESTIONS:,} questions would cost {usd(least[0])} ({least[1]}), and always asking "
            f"{labels['large']} costs {large}."
        )
    assert earliest is not None  # a layout that pays has a break-even
    if plan.outlook == "pays at a higher accept rate":
        return (
            f"At an accept rate of {percent(plan.accept_rate)} the cascade does not pay: {SHOWN_QUESTIONS:,} questions "
            f"cost {expected} at best ({best.layout.name}), and always asking {labels['large']} costs {large}. It "
            f"would pay above {percent(earliest.costs.break_even_accept_rate)} ({earliest.layout.name})."
        )
    need = best.costs.needed_gap_share(plan.accept_rate)
    return (
        f"The cascade pays: with the verifier {best.layout.name}, {SHOWN_QUESTIONS:,} questions cost {expected} "
        f"instead of {large} for always asking {labels['large']} ({against_large(best, plan)}). It pays above an "
        f"accept rate of {percent(best.costs.break_even_accept_rate)}, and is worth it if it recovers more than "
        f"{percent(need)} of the quality gap between the two models.{_default_loses(plan)}"
    )


def _default_loses(plan: Plan) -> str:
    """Return a warning where the verdict that nobody has to ask for costs more than always asking the large model."""
    usual = next((row for row in plan.rows if row.layout == _USUAL), None)
    if usual is None or usual.costs.pays(plan.accept_rate) is not False:
        return ""
    return (
        f" The default verifier of hosted models ({usual.layout.name}) does not: it costs "
        f"{usd(usual.costs.expected(plan.accept_rate))} ({against_large(usual, plan)}). Whether a cheaper judge is "
        "good enough is a question of quality: 'automix record' tells."
    )


def recorded_sentence(recorded: RecordedWorkload, accept_rate: float, labels: Labels) -> str:
    """Return what the recorded questions came to."""
    costs = recorded.costs
    expected = costs.expected(accept_rate)
    told = (
        f"As recorded ({recorded.n:,} questions, verifier {recorded.verifier}, accept rate {percent(accept_rate)}), "
        f"{SHOWN_QUESTIONS:,} questions cost {usd(expected)} instead of {usd(costs.always_large)} for always asking "
        f"{labels['large']}: "
    )
    if costs.can_pay is False:
        return f"{told}the cascade cannot pay, even if every small answer were kept."
    starts = percent(costs.break_even_accept_rate)
    if costs.pays(accept_rate):
        return f"{told}it pays (above an accept rate of {starts})."
    return f"{told}it would pay above {starts}."


def no_gap_sentence(planned: Planned) -> str | None:
    """Return what it means that the large model is no better; None where it is, or nobody knows."""
    qualities, recorded = planned.stakes.qualities, planned.recorded
    if qualities is None or planned.stakes.gap is not None:
        return None
    small, large = qualities
    told = f"The large model's answers are no better than the small model's: quality {large:.4g} and {small:.4g}"
    if recorded is None or recorded.qualities != qualities:
        return f"{told}. No cascade is needed: use the small model alone."
    told = f"{told}, over {recorded.n:,} questions"
    if recorded.n < LEAST_QUESTIONS:
        return f"{told}, which are too few to tell: record {LEAST_QUESTIONS} or more before you decide."
    return f"{told}. No cascade is needed: use the small model alone."


def against_large(row: LayoutCosts, plan: Plan) -> str:
    """Return what a layout costs more or less than always asking the large model, in percent of that."""
    expected, large = row.costs.expected(plan.accept_rate), row.costs.always_large
    if expected is None or large is None:
        return "unknown"
    return f"{expected / large - 1:+.0%}" if large else "–"
