"""One model call of an agent: what it gave, and its entry for the ledger.

The agent's own handler makes the call, since it binds the tools, the response format and the system prompt. This module
does not know why the model is asked, nor what becomes of the reply.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.messages import AIMessage, ToolMessage

from automix_graph.models.calling import (
    Attempt,
    NamedModel,
    answered_attempt,
    failed_attempt,
    failed_call,
    reported_usage,
)
from automix_graph.models.retrying import Try, atry_calls, try_calls
from automix_graph.prompts import well_formed
from automix_graph.records import Stage

Kind = Literal["tools", "answer", "misfit", "garbled", "nothing", "error"]
"""What a model call gave: tools for the agent to run, an answer, one that does not fit the agent's response format, a
call of a tool that cannot be read, nothing that could be shown, or an exception."""

Handler = Callable[[ModelRequest[Any]], ModelResponse[Any]]
AsyncHandler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]

_FLAWS: Final[Mapping[Kind, str]] = {
    "misfit": "answer outside the response format",
    "garbled": "unreadable tool call",
    "nothing": "empty answer",
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a model call of an agent gave.

    Attributes:
        kind: of what it gave.
        attempt: the call, with its message or its error.
        response: what the agent made of the message; None where the call failed.
    """

    kind: Kind
    attempt: Attempt
    response: ModelResponse[Any] | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing in it for the agent to go on with; of a misfit it tells the model what is wrong."""
        return self.kind in {"garbled", "nothing", "error"}

    @property
    def answer(self) -> str:
        """What there is to be judged: the text, or the arguments of a structured answer as JSON."""
        if self.response is None or self.attempt.message is None:
            return ""
        if self.response.structured_response is not None and self.attempt.message.tool_calls:
            arguments = self.attempt.message.tool_calls[0]["args"]
            return well_formed(json.dumps(arguments, ensure_ascii=False, default=str))
        return self.attempt.text


def ask_model(target: NamedModel, request: ModelRequest[Any], handler: Handler, *, stage: Stage) -> Reply:
    """Ask a model once, by way of the agent's handler.

    Args:
        target: whom to ask.
        request: of the agent; its model is replaced.
        handler: what middleware is given to call models with.
        stage: under which the call is charged.
    """
    asked = request.override(model=target.model)
    tries = try_calls(lambda: handler(asked), retries=target.retries, breaker=target.breaker, check=_any)
    return _reply(target, stage, tries)


async def aask_model(target: NamedModel, request: ModelRequest[Any], handler: AsyncHandler, *, stage: Stage) -> Reply:
    """Ask a model once, asynchronously; see `ask_model`."""
    asked = request.override(model=target.model)
    tries = await atry_calls(lambda: handler(asked), retries=target.retries, breaker=target.breaker, check=_any)
    return _reply(target, stage, tries)


def _any(response: ModelResponse[Any]) -> None:
    """Take any response: what it is worth is the agent's to say."""


def _reply(target: NamedModel, stage: Stage, tries: Sequence[Try[ModelResponse[Any]]]) -> Reply:
    *failed, last = tries
    earlier = tuple(failed_call(target, stage, one.seconds, one.error) for one in failed if one.error)
    if last.reply is not None:
        reply = _answered(target, stage, last.seconds, last.reply)
    else:
        assert last.error is not None  # one of both is given
        reply = _failed(target, stage, last.seconds, last.error)
    return dataclasses.replace(reply, attempt=dataclasses.replace(reply.attempt, earlier=earlier))


def _answered(target: NamedModel, stage: Stage, seconds: float, response: ModelResponse[Any]) -> Reply:
    # Other middleware may have answered without calling a model; then there is no message of one to be charged.
    message = next((found for found in response.result if isinstance(found, AIMessage)), AIMessage(""))
    kind = _kind(message, response)
    attempt = answered_attempt(target, stage, seconds, message)
    if flaw := _FLAWS.get(kind):
        attempt = Attempt(call=dataclasses.replace(attempt.call, error=flaw), message=message)
    return Reply(kind=kind, attempt=attempt, response=response)


def _failed(target: NamedModel, stage: Stage, seconds: float, error: Exception) -> Reply:
    """Return the reply of a call that failed."""
    attempt = failed_attempt(target, stage, seconds, error)
    if isinstance(error, StructuredOutputError):  # the model did answer, and was paid
        call = dataclasses.replace(attempt.call, usage=reported_usage(error.ai_message))
        attempt = dataclasses.replace(attempt, call=call)
    return Reply(kind="error", attempt=attempt)


def _kind(message: AIMessage, response: ModelResponse[Any]) -> Kind:
    # The agent itself answers calls of the response format's own tool: with a confirmation, or with what is wrong.
    answered = {found.tool_call_id for found in response.result if isinstance(found, ToolMessage)}
    if any(call["id"] not in answered for call in message.tool_calls):
        return "tools"
    if response.structured_response is not None:
        return "answer"
    if answered:
        return "misfit"
    if message.invalid_tool_calls:
        return "garbled"
    return "answer" if str(message.text).strip() else "nothing"
