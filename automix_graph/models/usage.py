"""The tokens of a model call, as its provider reports them. A report that cannot be true tells nothing."""

from __future__ import annotations

from typing import Any, Final

from langchain_core.messages import AIMessage

from automix_graph.records import Usage

_MOST_TOKENS: Final = 100_000_000
"""Of one call; ten times the longest context there is."""


def token_count(reported: object) -> int | None:
    """Return a number of tokens; None for what cannot be one: unknown is not zero.

    Example:
        >>> token_count(12), token_count(-1), token_count("12"), token_count(10**12)
        (12, None, None, None)
    """
    if isinstance(reported, bool) or not isinstance(reported, int) or not 0 <= reported <= _MOST_TOKENS:
        return None
    return reported


def reported_usage(message: AIMessage) -> Usage:
    """Return the tokens that the provider reported with a message; None where it did not.

    A prompt of no tokens means that nothing was reported: that is what LangChain makes of fields left out.
    """
    usage: Any = message.usage_metadata
    if not usage or usage.get("input_tokens") == 0:
        return Usage()
    read, written = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return Usage(
        input_tokens=token_count(usage.get("input_tokens")),
        output_tokens=token_count(usage.get("output_tokens")),
        cached_input_tokens=token_count(read.get("cache_read")),
        cache_write_tokens=token_count(read.get("cache_creation")),
        reasoning_tokens=token_count(written.get("reasoning")),
    )


def completion_usage(completion: object) -> Usage:
    """Return the tokens that OpenAI's client reports with a completion; None where it does not."""
    usage = getattr(completion, "usage", None)
    if usage is None:
        return Usage()
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input_tokens=token_count(getattr(usage, "prompt_tokens", None)),
        output_tokens=token_count(getattr(usage, "completion_tokens", None)),
        cached_input_tokens=token_count(getattr(details, "cached_tokens", None)),
    )
