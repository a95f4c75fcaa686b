"""The ledger of one question: what its calls add up to. A sum with an unknown part is unknown, never too small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from automix_graph.records import Bill, Call


def total_cost(calls: Iterable[Call]) -> float | None:
    """Return the sum of the costs in USD; None where any is unknown."""
    costs = [call.cost for call in calls]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def summarise(calls: Sequence[Call], bill: Bill) -> dict[str, Any]:
    """Return the ledger of a question as plain data.

    Sums are over the calls that were made, of those that a cache replied to (``cached``) only the seconds count. Token
    sums are over the calls that reported them; ``calls_without_usage`` counts those that did not, and
    ``cost_at_least`` sums the costs that are known. ``always_large_cost`` is what the large model's answer alone would
    have cost, ``always_large_estimated`` whether that is an estimate, and ``saved`` the difference, negative where the
    cascade lost money; all in USD, None where unknown.
    """
    made = [call for call in calls if not call.cached]
    return {
        "calls": [_plain(call) for call in calls],
        "input_tokens": sum(call.usage.input_tokens or 0 for call in made),
        "cached_input_tokens": sum(call.usage.cached_input_tokens or 0 for call in made),
        "output_tokens": sum(call.usage.output_tokens or 0 for call in made),
        "reasoning_tokens": sum(call.usage.reasoning_tokens or 0 for call in made),
        "calls_without_usage": sum(call.usage.input_tokens is None for call in made),
        "seconds": sum(call.seconds for call in calls),
        "cost_at_least": bill.at_least,
        "always_large_cost": bill.always_large,
        "always_large_estimated": bill.estimated,
        "saved": bill.saved,
    }


def _plain(call: Call) -> dict[str, Any]:
    data = call.fields()
    usage: dict[str, Any] = data.pop("usage")
    return data | usage
