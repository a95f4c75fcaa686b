"""A plan as plain data for programs; costs are in USD per question, and null where a price is unknown."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from automix_graph.cli.plan_sentences import no_gap_sentence, recorded_sentence, sentence
from automix_graph.cli.planned import Planned, Stakes
from automix_graph.costs.comparison import LayoutCosts
from automix_graph.costs.layouts import ASSUMPTIONS, Labels
from automix_graph.costs.prices import Prices

if TYPE_CHECKING:
    from automix_graph.evaluation.recorded_workload import RecordedWorkload

SCHEMA_VERSION: Final = 1


def as_plain(planned: Planned) -> dict[str, Any]:
    """Return all of a plan."""
    plan, labels, recorded = planned.plan, planned.labels, planned.recorded
    first = plan.rows[0].costs
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": sentence(plan, labels),
        "no_gap": no_gap_sentence(planned),
        "recorded": None if recorded is None else _plain_recorded(recorded, plan.accept_rate, labels),
        "outlook": plan.outlook,
        "accept_rate": plan.accept_rate,
        "always_small_cost": first.always_small,
        "always_large_cost": first.always_large,
        "cheapest": plan.cheapest and plan.cheapest.layout.name,
        "earliest": plan.earliest and plan.earliest.layout.name,
        "layouts": [plain_row(row, plan.accept_rate, planned.stakes) for row in plan.rows],
        "models": dict(labels),
        "prices": {label: _plain_price(label, planned.prices) for label in labels.values()},
        "workload": dataclasses.asdict(planned.workload),
        "assumptions": list(ASSUMPTIONS),
    }


def plain_row(row: LayoutCosts, accept_rate: float, stakes: Stakes) -> dict[str, Any]:
    """Return what one layout costs, and what it must be worth.

    Args:
        row: the layout.
        accept_rate: share of small answers that are kept, in [0, 1].
        stakes: what quality is worth; what nobody said gives null.
    """
    costs, layout = row.costs, row.layout
    share = costs.needed_gap_share(accept_rate)
    quality = None
    if stakes.gap and share is not None:
        small, large = stakes.gap
        quality = small + share * (large - small)
    errors = None if stakes.price_of_error is None else costs.affordable_errors(accept_rate, stakes.price_of_error)
    return {
        "name": layout.name,
        "judge": layout.judge,
        "model": row.model,
        "reads": layout.reads,
        "method": layout.method,
        "small_cost": costs.small,
        "verify_cost": costs.verify,
        "escalate_cost": costs.escalate,
        "accepted_cost": costs.accepted,
        "escalated_cost": costs.escalated,
        "expected_cost": costs.expected(accept_rate),
        "pays": costs.pays(accept_rate),
        "can_pay": costs.can_pay,
        "break_even_accept_rate": costs.break_even_accept_rate,
        "needed_gap_share": share,
        "needed_quality": quality,
        "affordable_errors": errors,
    }


def _plain_recorded(recorded: RecordedWorkload, accept_rate: float, labels: Labels) -> dict[str, Any]:
    costs = recorded.costs
    return {
        "verdict": recorded_sentence(recorded, accept_rate, labels),
        "n": recorded.n,
        "verifier": recorded.verifier,
        "small_quality": recorded.qualities[0],
        "large_quality": recorded.qualities[1],
        "small_cost": costs.small,
        "verify_cost": costs.verify,
        "escalate_cost": costs.escalate,
        "always_large_cost": costs.always_large,
        "expected_cost": costs.expected(accept_rate),
        "pays": costs.pays(accept_rate),
        "can_pay": costs.can_pay,
        "break_even_accept_rate": costs.break_even_accept_rate,
        "needed_gap_share": costs.needed_gap_share(accept_rate),
    }


def _plain_price(label: str, prices: Prices) -> dict[str, Any]:
    price = prices.price(label)
    numbers = dict.fromkeys(("input", "output", "cached_input")) if price is None else price._asdict()
    return {**numbers, "source": "unknown" if price is None else price_source(label, prices)}


def price_source(label: str, prices: Prices) -> str:
    """Return where the price of a model is from, which is known."""
    return "given" if label in prices.labels else "list price"
