"""The option that gives the price of a model, and what is said where one is missing."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import click

from automix_graph.costs.prices import Price
from automix_graph.errors import ConfigurationError


def _read_prices(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Price], ...]:
    return tuple(map(_read_price, values))


def _read_price(value: str) -> tuple[str, Price]:
    label, _, numbers = value.rpartition("=")
    price = None
    with contextlib.suppress(TypeError, ValueError):
        price = Price(*map(float, numbers.split("/")))
    if not label or price is None or not all(0 <= number < math.inf for number in price if number is not None):
        raise click.BadParameter(
            f"{value!r} is no price; write MODEL=INPUT/OUTPUT or MODEL=INPUT/OUTPUT/CACHED in USD per million tokens, "
            "such as openai:gpt-5-mini=0.25/2/0.025"
        )
    if price.cached_input is not None and price.cached_input > price.input:
        raise click.BadParameter(
            f"{value!r} makes cached input dearer than input; the order is MODEL=INPUT/OUTPUT/CACHED"
        )
    return label, price


price_option = click.option(
    "--price",
    "given",
    callback=_read_prices,
    multiple=True,
    metavar="MODEL=INPUT/OUTPUT[/CACHED]",
    help="Price of a model in USD per million tokens, in place of the list price; may be repeated.",
)


def require_priced(unknown: Sequence[str]) -> None:
    """Refuse to go on where the prices of models are needed and unknown.

    Args:
        unknown: labels of these models.

    Raises:
        ConfigurationError: there are some.
    """
    if unknown:
        told = " ".join(f"--price {label}=INPUT/OUTPUT[/CACHED]" for label in unknown)
        raise ConfigurationError(
            f"no price is known for {', '.join(map(repr, unknown))}, and nothing can be said without it; give it in "
            f"USD per million tokens: {told}",
            code="unknown-price",
        )
