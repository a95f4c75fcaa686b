"""What the OpenAPI schema says of responses that the doors make themselves: their shapes, statuses and media types.

FastAPI cannot tell from a handler that returns a response. Nothing here is run when a request is served.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]
"""By status, as FastAPI takes them."""


class Reason(BaseModel):
    """Why there is no answer, see `automix_graph.serving.gate.failures.RequestFailed`."""

    message: str
    type: Literal["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]
    param: str | None
    code: str


class Failed(BaseModel):
    """The body of a response without an answer, in OpenAI's shape."""

    error: Reason


class Message(BaseModel):
    """The message of a completion."""

    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    """The one choice of a completion."""

    index: int
    message: Message
    finish_reason: Literal["stop"]
    logprobs: None


class CachedTokens(BaseModel):
    """Details of the tokens read."""

    cached_tokens: int


class ReasoningTokens(BaseModel):
    """Details of the tokens written."""

    reasoning_tokens: int


class Tokens(BaseModel):
    """The tokens of all calls that a question took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens


class Source(BaseModel):
    """A passage that the models read."""

    id: str | None
    metadata: dict[str, Any]


class Extension(BaseModel):
    """How an answer came about; costs in USD."""

    route: str
    verdict: str
    confidence: float | None
    degraded: bool
    degraded_reason: str | None
    cost: float | None
    always_large_cost: float | None
    always_large_estimated: bool
    saved: float | None
    calls: int
    calls_without_usage: int
    sources: list[Source]


class ChatCompletion(BaseModel):
    """A response that is not streamed."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Tokens
    automix: Extension


class ModelCard(BaseModel):
    """A served graph."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """The served graphs."""

    object: Literal["list"]
    data: list[ModelCard]


class Findings(BaseModel):
    """What was found of each part."""

    ready: bool
    checks: dict[str, Literal["ok", "failed", "not checked"]]


_EVENTS: Final[dict[str, Any]] = {"text/event-stream": {}}
_REFUSED: Final = "Refused; the body says why."

FAILURES: Final[Responses] = {
    "4XX": {"model": Failed, "description": _REFUSED},
    "5XX": {"model": Failed, "description": "The models, or the server, gave no answer."},
}
"""Of the doors that speak OpenAI's language."""
OTHER_FAILURES: Final[Responses] = {
    "4XX": {"description": _REFUSED, "content": {"application/json": {"schema": {"type": "object"}}}},
    "5XX": {"description": "There is no answer.", "content": {"application/json": {}, "text/plain": {}}},
}
"""Of all other doors: the gate refuses in OpenAI's shape, and LangServe in its own."""
COMPLETION: Final[Responses] = {
    200: {"model": ChatCompletion, "content": _EVENTS, "description": "The answer; as events where it is streamed."}
}
ASKED: Final[Responses] = {200: {"content": _EVENTS, "description": "Events."}}
READY: Final[Responses] = {200: {"model": Findings}, 503: {"model": Findings, "description": "A part does not work."}}
MODELS: Final[Responses] = {
    200: {
        "model": ModelList,
        "links": {
            "model": {"operationId": "get_model", "parameters": {"name": "$response.body#/data/0/id"}},
            "completion": {
                "operationId": "create_chat_completion",
                "requestBody": {
                    "model": "$response.body#/data/0/id",
                    "messages": [{"role": "user", "content": "When was it built?"}],
                },
            },
        },
    }
}
EXPOSITION: Final[Responses] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
