"""One model call, measured: its reply or its failure, its tokens as reported, its wall time.

This is the one place that turns a provider's exception into a `ModelCallError`. Mistakes in code pass through.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.errors import ModelCallError
from automix_graph.records import Call, Stage, Usage

_MISTAKES: Final = (AssertionError, AttributeError, NameError, NotImplementedError, TypeError)
"""Exceptions that mean a mistake in code, not a model that failed; hiding them would hide the mistake."""

_RETRYABLE_STATUS: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """A chat model and the label under which it is charged.

    Attributes:
        label: e.g. ``"openai:gpt-5-mini"`` or ``"local:smollm2-135m-instruct"``.
        model: the chat model.
    """

    label: str
    model: BaseChatModel


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call and what came of it: exactly one of message and error is given.

    Attributes:
        call: the entry for the ledger.
        message: the reply.
        error: why there is none.
    """

    call: Call
    message: AIMessage | None = None
    error: ModelCallError | None = None

    @property
    def text(self) -> str:
        """The text of the reply; empty where there is none."""
        return str(self.message.text) if self.message else ""


def call_model(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Attempt:
    """Ask a model once.

    Args:
        target: whom to ask.
        messages: the prompt.
        stage: the node that asks.
        config: of the run, so that callbacks see the call.
        options: bound to the call, e.g. ``{"max_tokens": 8}``.
    """
    start = time.perf_counter()
    try:
        message = _bound(target, options).invoke(list(messages), config)
    except _MISTAKES:
        raise
    except Exception as error:
        return _failed(target, stage, time.perf_counter() - start, error)
    return _answered(target, stage, time.perf_counter() - start, message)


async def acall_model(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Attempt:
    """Ask a model once, asynchronously; see `call_model`."""
    start = time.perf_counter()
    try:
        message = await _bound(target, options).ainvoke(list(messages), config)
    except _MISTAKES:
        raise
    except Exception as error:
        return _failed(target, stage, time.perf_counter() - start, error)
    return _answered(target, stage, time.perf_counter() - start, message)


def _bound(target: NamedModel, options: dict[str, Any] | None) -> Runnable[Any, Any]:
    return target.model.bind(**options) if options else target.model


def _answered(target: NamedModel, stage: Stage, seconds: float, message: AIMessage) -> Attempt:
    call = Call(stage=stage, model=target.label, usage=reported_usage(message), seconds=seconds)
    return Attempt(call=call, message=message)


def _failed(target: NamedModel, stage: Stage, seconds: float, error: Exception) -> Attempt:
    mapped = map_error(error, model=target.label, stage=stage)
    call = Call(stage=stage, model=target.label, usage=Usage(), seconds=seconds, error=str(mapped))
    return Attempt(call=call, error=mapped)


def map_error(error: Exception, *, model: str, stage: Stage) -> ModelCallError:
    """Return what a provider's exception means to the graph; the original is its ``__cause__``."""
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    if isinstance(error, ModelError):
        retryable = bool(error.is_retryable)
    else:
        retryable = status in _RETRYABLE_STATUS or isinstance(error, TimeoutError | ConnectionError)
    reason = " ".join(str(error).split())[:300]
    mapped = ModelCallError(
        f"{model} failed in {stage}: {type(error).__name__}: {reason}",
        model=model,
        stage=stage,
        status=status,
        retryable=retryable,
    )
    mapped.__cause__ = error
    return mapped


def reported_usage(message: AIMessage) -> Usage:
    """Return the tokens that the provider reported with a message; None where it did not."""
    usage = message.usage_metadata
    if usage is None:
        return Usage()
    return Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cached_input_tokens=usage.get("input_token_details", {}).get("cache_read"),
        reasoning_tokens=usage.get("output_token_details", {}).get("reasoning"),
    )
