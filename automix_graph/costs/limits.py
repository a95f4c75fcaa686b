"""How far a question may go: ceilings on cost, calls and seconds, and what the worst case of a call is taken to be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from automix_graph.errors import ConfigurationError

OnLimit = Literal["degrade", "raise"]
"""What becomes of a question that reaches a limit."""

_ASCII_PER_TOKEN: Final = 2
_TOKENS_PER_OTHER: Final = 2
_TOKENS_PER_MESSAGE: Final = 8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ceilings for one question, checked before each model call with the worst case of that call.

    A call that might go beyond them is not made: an answer that is not judged is not kept, and where the last model may
    not be asked any more, the best answer so far is returned, marked ``degraded``.

    Attributes:
        max_cost: in USD; every model needs a known price. A call whose provider reports no tokens counts as nothing.
        max_calls: model calls, those that failed included.
        max_seconds: from the beginning of the question; a call that runs longer is given up, and what it costs is then
            unknown.
        max_node_seconds: of each step by itself: retrieving, one model's answer, one verification, with all calls and
            waits in it. One that takes longer is given up as if its model had failed, and the question goes on.
        on_reached: ``"degrade"`` as above, ``"raise"`` raises `LimitReachedError` instead, and also where there is no
            answer yet.
        assumed_output_tokens: of a model that has no cap of its own on what it writes, for the worst case.

    Raises:
        ConfigurationError: a limit is no positive number.

    Example:
        >>> Limits(max_cost=0.01, max_calls=4).max_seconds is None
        True
    """

    max_cost: float | None = None
    max_calls: int | None = None
    max_seconds: float | None = None
    max_node_seconds: float | None = None
    on_reached: OnLimit = "degrade"
    assumed_output_tokens: int = 2048

    def __post_init__(self) -> None:
        for name in ("max_cost", "max_calls", "max_seconds", "max_node_seconds", "assumed_output_tokens"):
            value = getattr(self, name)
            whole = name in ("max_calls", "assumed_output_tokens")
            optional = name != "assumed_output_tokens"
            if value is None and optional:
                continue
            kind = int if whole else int | float
            if not isinstance(value, kind) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
                allowed = f"a {'whole ' if whole else ''}number above 0{', or None' if optional else ''}"
                raise ConfigurationError(f"{name} is {value!r}; use {allowed}")
        if self.on_reached not in get_args(OnLimit):
            raise ConfigurationError(f"on_reached is {self.on_reached!r}; use 'degrade' or 'raise'")


def worst_tokens(texts: Iterable[str]) -> int:
    """Return how many tokens messages may have at most, as far as tokenizers in use go.

    Taken are one token for two ASCII characters, two for every other one, and a few for each message: English prose has
    about one for four. No provider promises a bound.

    Args:
        texts: of the messages.

    Example:
        >>> worst_tokens(["When?"]), worst_tokens(["何时？"])
        (11, 14)
    """
    tokens = 0
    for text in texts:
        ascii_characters = sum(map(str.isascii, text))
        tokens += math.ceil(ascii_characters / _ASCII_PER_TOKEN)
        tokens += (len(text) - ascii_characters) * _TOKENS_PER_OTHER + _TOKENS_PER_MESSAGE
    return tokens
