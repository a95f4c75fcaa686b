"""Whether a reply is of any use, and how it ended. What the reply says is not read here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage

from automix_graph.models.failures import FailureKind, UnusableReplyError
from automix_graph.models.usage import reported_usage

LONGEST_REPLY: Final = 1_000_000
"""Characters; no model writes as many in one reply, and a record, a prompt and a stream would each hold them again."""

End = Literal["finished", "truncated", "withheld", "refused", "broken"]
"""Whether a model came to an end by itself, was cut off at the longest reply, was cut off by a content filter, would
not answer, or its stream stopped in the middle."""

_ENDS: Final[Mapping[str, End]] = {
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length", "incomplete"), "truncated"),
    **dict.fromkeys(
        (
            *("content_filter", "content_filtered", "guardrail_intervened", "error_toxic"),
            *("safety", "recitation", "blocklist", "prohibited_content", "spii"),
        ),
        "withheld",
    ),
    "refusal": "refused",
}
"""What providers call the end of a reply, in small letters."""

_NAMES: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason", "incomplete_details", "status")


def end_of(message: AIMessage) -> End:
    """Return how a reply ended.

    Example:
        >>> end_of(AIMessage("In", response_metadata={"finish_reason": "length"}))
        'truncated'
    """
    metadata = message.response_metadata
    if _refuses(message):
        return "refused"
    for name in _NAMES:
        if (reason := metadata.get(name)) is not None and (end := _ENDS.get(_word(reason))):
            return end
    # langchain-openai tells the model of every whole reply, and of a stream by its last piece.
    broken = metadata.get("model_provider") == "openai" and not metadata.keys() & {"finish_reason", "model_name", "id"}
    return "broken" if broken else "finished"


def check_reply(message: AIMessage, *, answers: bool, longest: int) -> None:
    """Refuse a reply that is of no use.

    Args:
        message: the reply.
        answers: whether it is to be shown to a user. A judge's reply may be cut off or empty, and is read as it is.
        longest: characters that it may have.

    Raises:
        UnusableReplyError: it is too long, a refusal, or broken off; or an answer that is withheld or empty.
    """
    if (problem := _problem(message, answers=answers, longest=longest)) is not None:
        raise UnusableReplyError(problem, reported_usage(message))


def _problem(message: AIMessage, *, answers: bool, longest: int) -> FailureKind | None:
    """Return why a reply is of no use, None where it is of use."""
    if length_of(message.content) > longest:
        return "too_long"
    end = end_of(message)
    if end == "refused":
        return "refusal"
    if end == "broken":
        return "malformed_reply"
    if answers and end == "withheld":
        return "content_filter"
    if answers and not str(message.text).strip():
        # A model that has used up its tokens before the first word would do so again.
        return "cut_off" if end == "truncated" else "empty_answer"
    return None


def length_of(content: Any) -> int:
    """Return how many characters a message's content has, without joining its parts.

    Example:
        >>> length_of("four"), length_of([{"type": "text", "text": "four"}, "ty"])
        (4, 6)
    """
    if isinstance(content, str):
        return len(content)
    if isinstance(content, Mapping):
        return sum(length_of(part) for name, part in content.items() if name != "type")
    return sum(map(length_of, content)) if isinstance(content, list) else 0


def _word(reason: Any) -> str:
    """Return what a provider said, in small letters; OpenAI's details hold it as their reason."""
    said = reason.get("reason") if isinstance(reason, Mapping) else reason
    return str(said).lower()


def _refuses(message: AIMessage) -> bool:
    if message.additional_kwargs.get("refusal"):
        return True
    content = message.content
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and part.get("type") == "refusal" for part in content
    )
