"""The part of OpenAI's chat completions that a graph can serve, and what of a request it cannot honour."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from automix_graph.serving.gate.failures import invalid

HARMLESS: Final = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
"""Parameters that ask for nothing about the answer; they are taken and not used."""

NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "frequency_penalty": (0,),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "service_tier": ("auto", "default"),
    "stop": ([],),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
"""Values with which a parameter asks for what happens anyway."""

UNSUPPORTED: Final = frozenset(NEUTRAL) | {
    "audio",
    "function_call",
    "max_completion_tokens",
    "max_tokens",
    "prediction",
    "reasoning_effort",
    "seed",
    "temperature",
    "top_p",
    "verbosity",
    "web_search_options",
}
"""Parameters of OpenAI's that would change an answer, and that a graph does not pass to its models."""


class Part(BaseModel):
    """A part of a message; text is all that a question is made of, see `UserMessage.text`.

    Attributes:
        type: of the part.
        text: in words.
    """

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str | None = None


class UserMessage(BaseModel):
    """A message of the user.

    Attributes:
        role: of the author.
        content: a text or its parts.
        name: of the user; not used.
    """

    model_config = ConfigDict(extra="forbid")

    role: Literal["user"]
    content: str | list[Part]
    name: str | None = None

    @property
    def text(self) -> str:
        """The content as one text.

        Raises:
            RequestFailed: a part is something else.
        """
        if isinstance(self.content, str):
            return self.content
        texts = [part.text for part in self.content if part.type == "text" and part.text is not None]
        if len(texts) < len(self.content):
            raise invalid(
                "a question is made of text; leave out parts of other types",
                param="messages",
                code="unsupported_content",
            )
        return "\n".join(texts)


class AssistantMessage(BaseModel):
    """An answer that was given before.

    Attributes:
        role: of the author.
        content: a text or its parts; None for a message that only called tools.
    """

    model_config = ConfigDict(extra="ignore")

    role: Literal["assistant"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The texts of the content as one; empty where there are none."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if part.text is not None)


class OtherMessage(BaseModel):
    """A message that is taken and not read, see `ChatRequest.question`.

    Attributes:
        role: of the author.
    """

    model_config = ConfigDict(extra="ignore")

    role: Literal["developer", "function", "system", "tool"]


class StreamOptions(BaseModel):
    """How a stream is wanted.

    Attributes:
        include_usage: whether a last chunk tells the tokens.
        include_obfuscation: taken and not used.
    """

    model_config = ConfigDict(extra="forbid")

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(BaseModel):
    """A request for a chat completion.

    Attributes:
        model: one of ``/v1/models``.
        messages: the conversation; the last message of the user is the question. Those of user and assistant before it
            are read where follow-up questions are condensed, others never.
        stream: whether the answer is wanted as it is written.
        stream_options: allowed only with ``stream``.
    """

    model_config = ConfigDict(extra="allow")

    model: str
    messages: list[Annotated[UserMessage | AssistantMessage | OtherMessage, Field(discriminator="role")]]
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def question(self) -> str:
        """The last message of the user.

        Raises:
            RequestFailed: there is none.
        """
        return self._asking.text

    @property
    def earlier(self) -> list[dict[str, str]]:
        """What user and assistant said before the question, oldest first."""
        place = max(place for place, message in enumerate(self.messages) if message is self._asking)
        spoken = [message for message in self.messages[:place] if isinstance(message, UserMessage | AssistantMessage)]
        return [{"role": message.role, "content": message.text} for message in spoken if message.text.strip()]

    @property
    def _asking(self) -> UserMessage:
        for message in reversed(self.messages):
            if isinstance(message, UserMessage):
                return message
        raise invalid("messages holds no message with role 'user'; the last of them is the question", param="messages")

    def refuse_what_is_unsupported(self, ignored: Collection[str]) -> None:
        """Refuse parameters that would have to be ignored otherwise.

        Args:
            ignored: parameters that the operator wants to be ignored.

        Raises:
            RequestFailed: a parameter is unknown, or its value asks for what a graph cannot do.

        Example:
            >>> request = ChatRequest(model="automix", messages=[], n=1, temperature=None)
            >>> request.refuse_what_is_unsupported(())
        """
        for name, value in (self.model_extra or {}).items():
            if name in HARMLESS or name in ignored or value is None or _is_neutral(name, value):
                continue
            if name in UNSUPPORTED:
                raise invalid(_advice(name), param=name, code="unsupported_parameter")
            raise invalid(
                f"Unrecognized request argument supplied: {name[:100]}", param=name[:100], code="unknown_parameter"
            )
        if self.stream_options and not self.stream:
            raise invalid("stream_options is only allowed with stream", param="stream_options")


def _is_neutral(name: str, value: object) -> bool:
    # Python holds True for equal to 1; JSON does not.
    allowed = NEUTRAL.get(name, ())
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def _advice(name: str) -> str:
    values = NEUTRAL.get(name)
    instead = f"leave it out, or give {' or '.join(map(repr, values))}" if values else "leave it out"
    return f"'{name}' is not supported: the models behind this endpoint keep their own settings; {instead}"


def usage_of(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sums of a ledger as OpenAI's ``usage``: of all calls that the question took, of all models.

    Example:
        >>> ledger = {"input_tokens": 9, "output_tokens": 2, "cached_input_tokens": 4, "reasoning_tokens": 0}
        >>> usage_of(ledger)["total_tokens"]
        11
    """
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["input_tokens"] + usage["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": usage["cached_input_tokens"]},
        "completion_tokens_details": {"reasoning_tokens": usage["reasoning_tokens"]},
    }


def model_card(name: str, created: int) -> dict[str, Any]:
    """Return a served graph as one of OpenAI's models.

    Args:
        name: under which it is served.
        created: when, in seconds since 1970.
    """
    return {"id": name, "object": "model", "created": created, "owned_by": "automix"}


class Completion:
    """Makes the objects of one response, which share an id, a time and a model.

    Args:
        model: that was asked.
        response_id: of the response.
    """

    def __init__(self, model: str, response_id: str) -> None:
        self._common = {"id": f"chatcmpl-{response_id}", "created": int(time.time()), "model": model}

    def whole(self, answer: str, usage: Mapping[str, Any], extension: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object of a response that is not streamed."""
        message = {"role": "assistant", "content": answer, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {
            **self._common,
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage_of(usage),
            "automix": extension,
        }

    def chunk(self, delta: Mapping[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        """Return a chunk of a stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return {**self._common, "object": "chat.completion.chunk", "choices": [choice]}

    def usage_chunk(self, usage: Mapping[str, Any]) -> dict[str, Any]:
        """Return the last chunk of a stream whose client wants to know the tokens."""
        return {**self._common, "object": "chat.completion.chunk", "choices": [], "usage": usage_of(usage)}
