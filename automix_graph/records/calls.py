"""One model call as plain values: who was asked where, what it took, and how it failed if it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Stage = str
"""The node that made a model call, see `automix_graph.records.tiers`.

``score`` is none of the graph: a model that scored an answer for a record.
"""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one model call as the provider reported them; None where the provider did not say.

    Attributes:
        input_tokens: tokens of the prompt, cached ones included.
        output_tokens: tokens generated, reasoning ones included.
        cached_input_tokens: those of the prompt that were read from a cache.
        cache_write_tokens: those of the prompt that were written to a cache, where that has a price of its own.
        reasoning_tokens: those of the output that were spent on hidden reasoning.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One model call, successful or not, or a reply of a cache in place of one.

    Attributes:
        stage: the node that made it.
        model: the model's label.
        usage: tokens as reported; fields are None where the provider did not say.
        seconds: wall time.
        cost: in USD; None where a price or a token count is unknown.
        error: the kind of failure, without the provider's words (they may repeat the prompt); None where the call
            succeeded.
        cached: whether a cache gave the reply, so that no call was made and none is charged; the tokens are then those
            of the call that once filled it.
    """

    stage: Stage
    model: str
    usage: Usage
    seconds: float
    cost: float | None = None
    error: str | None = None
    cached: bool = False

    def fields(self) -> dict[str, Any]:
        """Return the values by name, those of the usage under ``usage``; as `dataclasses.asdict`, many times faster.

        Example:
            >>> call = Call(stage="verify", model="m", usage=Usage(input_tokens=3), seconds=0.1)
            >>> call.fields()["usage"]["input_tokens"]
            3
        """
        return {**vars(self), "usage": {**vars(self.usage)}}
