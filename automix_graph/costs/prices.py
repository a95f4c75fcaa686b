"""Prices of models, and what a call costs.

Prices come from the caller, else from the ``genai-prices`` package (list prices by provider and model). What is unknown
stays None: it is never counted as free. This module makes no call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from automix_graph.errors import ConfigurationError
from automix_graph.records import Call, Usage, changed

MILLION: Final = 1_000_000
"""Tokens that a price is for."""

_PROVIDERS: Final = {
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}
"""Names of providers in LangChain that genai-prices spells differently."""


class Price(NamedTuple):
    """A model's price in USD per million tokens.

    Attributes:
        input: tokens of the prompt.
        output: generated tokens, hidden reasoning included.
        cached_input: tokens of the prompt read from a cache; None charges them as input.
    """

    input: float
    output: float
    cached_input: float | None = None


class Prices:
    """Looks up what a call costs.

    Args:
        overrides: price by model label (``"openai:gpt-5-mini"``, ``"local:NAME"``); they win over list prices.

    Raises:
        ConfigurationError: a price is negative or not a number.

    Example:
        >>> usage = Usage(input_tokens=1000, output_tokens=50)
        >>> call = Call(stage="small_answer", model="local:x", usage=usage, seconds=1)
        >>> Prices({"local:x": Price(0.1, 0.4)}).cost(call)
        0.00012
        >>> Prices().cost(call) is None
        True
    """

    def __init__(self, overrides: Mapping[str, Price | Sequence[float]] | None = None) -> None:
        self._overrides = {label: _checked(label, price) for label, price in (overrides or {}).items()}

    @property
    def labels(self) -> frozenset[str]:
        """The labels whose prices the caller gave."""
        return frozenset(self._overrides)

    def price(self, label: str) -> Price | None:
        """Return the price of a model: as given, else as listed for short prompts; None where none is known."""
        if label in self._overrides:
            return self._overrides[label]
        thousand = 1000  # so that prices which rise with the length of a prompt are at their first step
        listed = [
            _list_price(label, Usage(input_tokens=thousand, output_tokens=0)),
            _list_price(label, Usage(input_tokens=0, output_tokens=thousand)),
            _list_price(label, Usage(input_tokens=thousand, output_tokens=0, cached_input_tokens=thousand)),
        ]
        numbers = [round(cost * MILLION / thousand, 9) for cost in listed if cost is not None]
        return Price(*numbers) if len(numbers) == len(listed) else None

    def cost(self, call: Call) -> float | None:
        """Return the cost of a call in USD: 0 where a cache replied, None where a price or a token count is unknown."""
        if call.cached:
            return 0.0
        usage = call.usage
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
        if min(usage.input_tokens - cached - written, cached, written, usage.output_tokens) < 0:
            return None  # a report that contradicts itself tells nothing
        price = self._overrides.get(call.model)
        if price is None:
            return _list_price(call.model, usage)
        cached_price = price.input if price.cached_input is None else price.cached_input
        fresh = usage.input_tokens - cached
        return (fresh * price.input + cached * cached_price + usage.output_tokens * price.output) / MILLION

    def charge(self, calls: Iterable[Call]) -> tuple[Call, ...]:
        """Return the calls with their costs filled in."""
        return tuple([changed(call, {"cost": self.cost(call)}) for call in calls])


def _checked(label: str, price: Price | Sequence[float]) -> Price:
    try:
        given = Price(*price)
        cached = None if given.cached_input is None else float(given.cached_input)
        checked = Price(float(given.input), float(given.output), cached)
        if all(number is None or (number >= 0 and math.isfinite(number)) for number in checked):
            return checked
    except (TypeError, ValueError):
        pass
    raise ConfigurationError(
        f"price {price!r} of {label!r} cannot be used; give Price(input, output) in USD per million tokens, each zero "
        "or more"
    )


def _list_price(label: str, usage: Usage) -> float | None:
    provider, _, model = label.partition(":")
    if not model or provider == "local":
        return None
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    try:
        found = genai_prices.calc_price(tokens, model, provider_id=_PROVIDERS.get(provider, provider))
    except LookupError:
        return None
    return float(found.total_price)
