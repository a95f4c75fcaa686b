"""The limits of a question, at work in the nodes: each makes its calls within what is left of them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from automix_graph.costs import Limits, Prices
from automix_graph.errors import ConfigurationError, LimitReachedError
from automix_graph.models.budget import Budget, observed
from automix_graph.records import Call, Record


@dataclass(frozen=True, kw_only=True)
class Limiting:
    """What limits the questions of a graph.

    Attributes:
        limits: of each question; None: there are none.
        prices: of tokens.
    """

    limits: Limits | None
    prices: Prices

    def budget(self, record: Record) -> Budget | None:
        """Return what is left for a question; None where nothing limits it."""
        if self.limits is None:
            return None
        now = time.time()
        began = now if record.began is None else record.began
        return Budget(self.limits, self.prices, calls=record.calls, began=began, entered=now)

    def over(self, record: Record) -> AbstractContextManager[None]:
        """Limit the model calls that are made for a question."""
        budget = self.budget(record)
        return observed(self.prices) if budget is None else budget.current()

    def ends_with(self, error: Exception) -> bool:
        """Return whether a limit has ended the question: its time is over, or the user wants an error at any limit."""
        if not isinstance(error, LimitReachedError) or self.limits is None:
            return False
        return error.limit == "seconds" or self.limits.on_reached == "raise"

    def check(self, calls: Iterable[Call]) -> None:
        """Raise where a call came to a limit, if that is what the user wants.

        Raises:
            LimitReachedError: one did.
        """
        if self.limits is None or self.limits.on_reached != "raise":
            return
        for call in calls:
            if (limit := limit_of(call)) is not None:
                ceiling = getattr(self.limits, f"max_{limit}")
                raise LimitReachedError.of(limit, ceiling, made=call.usage.input_tokens != 0)


def limit_of(call: Call) -> str | None:
    """Return which limit a call came to, such as ``cost`` or ``node_seconds``; None where it came to none.

    Example:
        >>> from automix_graph.records import Usage
        >>> limit_of(Call(stage="verify", model="m", usage=Usage(), seconds=0, error="limit on cost reached"))
        'cost'
    """
    words = (call.error or "").split()
    return words[2] if words[:2] == ["limit", "on"] else None


def require_prices(limits: Limits | None, prices: Prices, labels: Iterable[str]) -> None:
    """Refuse a ceiling on cost where nobody knows what a model costs.

    Raises:
        ConfigurationError: a price is unknown.
    """
    if limits is None or limits.max_cost is None:
        return
    unknown = sorted({label for label in labels if prices.price(label) is None})
    if unknown:
        raise ConfigurationError(
            f"limits hold max_cost={limits.max_cost}, and no price is known for {', '.join(map(repr, unknown))}; give "
            "it in USD per million tokens, --price MODEL=INPUT/OUTPUT or prices={LABEL: Price(input, output)}, or "
            "limit calls and seconds instead",
            code="unknown-price",
        )
