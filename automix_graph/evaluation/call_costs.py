"""What a recorded call cost: in USD at any prices, in seconds, or in tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

from automix_graph.costs import Prices
from automix_graph.errors import ConfigurationError
from automix_graph.records import Call, Recorded, Usage, changed

Unit = Literal["usd", "seconds", "tokens"]
"""Of costs: USD; seconds of all calls, one after the other; tokens read anew (none from a cache) or written."""

CostOf = Callable[[Call], float | None]
"""What a call cost; None where it is unknown."""

_ONE_TOKEN: Final = Usage(input_tokens=1, output_tokens=1)


def cost_in(unit: Unit, rows: Sequence[Recorded], prices: Prices) -> CostOf:
    """Return what tells the cost of a call; it is None where tokens were not told.

    A reply of a cache costs what the call would that it has spared, for other questions will not find it there. Nobody
    knows how many seconds that would take.

    Args:
        unit: of the costs.
        rows: whose calls are to be charged; those that failed are not.
        prices: for USD.

    Raises:
        ConfigurationError: there is no such unit, or, for USD, the price of a model is unknown.
    """
    match unit:
        case "usd":
            _check_prices(rows, prices)
            return lambda call: prices.cost(changed(call, {"cached": False}) if call.cached else call)
        case "seconds":
            return lambda call: None if call.cached else call.seconds
        case "tokens":
            return lambda call: new_tokens(call.usage)
        case _:
            raise ConfigurationError(f"unit {unit!r} is unknown; use 'usd', 'seconds' or 'tokens'")


def new_tokens(usage: Usage) -> float | None:
    """Return the tokens that a model had to work on: read, but not from a cache, or written; None where unknown.

    Example:
        >>> new_tokens(Usage(input_tokens=1000, output_tokens=50, cached_input_tokens=900))
        150.0
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    found = usage.input_tokens - (usage.cached_input_tokens or 0) + usage.output_tokens
    return None if found < 0 else float(found)


def unit_label(unit: str | None) -> str:
    """Return a unit as people read it; empty where nobody said which.

    Example:
        >>> unit_label("usd"), unit_label("seconds"), unit_label(None)
        ('USD', 'seconds', '')
    """
    return "USD" if unit == "usd" else unit or ""


def unpriced_models(rows: Sequence[Recorded], prices: Prices) -> list[str]:
    """Return the models that were asked and whose price is unknown, in the order of the alphabet.

    Args:
        rows: whose calls are to be charged; those that failed are not.
        prices: in USD.

    Example:
        >>> unpriced_models([], Prices())
        []
    """
    models = {call.model: call for row in rows if row.record and row.error is None for call in row.record.calls}
    return [model for model in sorted(models) if _price_unknown(models[model], prices)]


def _check_prices(rows: Sequence[Recorded], prices: Prices) -> None:
    if unknown := unpriced_models(rows, prices):
        told = " ".join(f"--price {model}=INPUT/OUTPUT[/CACHED]" for model in unknown)
        raise ConfigurationError(
            f"no price is known for {', '.join(map(repr, unknown))}; give it in USD per million tokens ({told}), or "
            "evaluate in another unit: --unit tokens or --unit seconds",
            code="unknown-price",
        )


def _price_unknown(call: Call, prices: Prices) -> bool:
    asked = Call(stage=call.stage, model=call.model, usage=_ONE_TOKEN, seconds=0.0)
    return prices.cost(asked) is None
