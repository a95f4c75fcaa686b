"""Log-probabilities of tokens, as OpenAI-compatible servers report them with a reply.

What has another shape (other providers report otherwise, or nothing) counts as not reported: no number is made of it.
This module calls no model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage


@dataclass(frozen=True, kw_only=True)
class ScoredToken:
    """A token with its probability.

    Attributes:
        text: of the token; where a character is cut into several tokens, replacement characters.
        logprob: natural logarithm of its probability, given all before it; ``-inf`` where that is 0.
    """

    text: str
    logprob: float


def scored_token(text: object, logprob: object) -> ScoredToken | None:
    """Return a token as a server reports it; None where that cannot be read.

    A log-probability of None is that of an impossible token: JSON knows no infinity, and llama.cpp writes null.
    """
    logprob = -math.inf if logprob is None else logprob
    if not isinstance(text, str) or not isinstance(logprob, int | float) or math.isnan(logprob):
        return None
    return ScoredToken(text=text, logprob=min(float(logprob), 0.0))  # rounding may leave it a little above 0


def reply_tokens(message: AIMessage) -> tuple[ScoredToken, ...]:
    """Return the tokens of a reply; empty where they were not reported, or not all of them can be read.

    Example:
        >>> content = [{"token": "May", "logprob": -0.5}]
        >>> reply_tokens(AIMessage("May", response_metadata={"logprobs": {"content": content}}))
        (ScoredToken(text='May', logprob=-0.5),)
    """
    return _all_scored(_positions(message))


def first_candidates(message: AIMessage) -> tuple[ScoredToken, ...]:
    """Return the likeliest tokens in the first place of a reply; empty where they cannot be read."""
    positions = _positions(message)
    first = positions[0] if positions else None
    return _all_scored(first.get("top_logprobs") if isinstance(first, Mapping) else None)


def _positions(message: AIMessage) -> list[Any]:
    reported = message.response_metadata.get("logprobs")
    content = reported.get("content") if isinstance(reported, Mapping) else None
    return content if isinstance(content, list) else []


def _all_scored(reported: object) -> tuple[ScoredToken, ...]:
    if not isinstance(reported, list):
        return ()
    read = [
        scored_token(token.get("token"), token.get("logprob", math.nan)) if isinstance(token, Mapping) else None
        for token in reported
    ]
    return tuple(token for token in read if token is not None) if None not in read else ()
