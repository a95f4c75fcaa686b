"""One model call, measured: its reply or its failure, its tokens as reported, its wall time.

This is the one place that turns a provider's exception into a `ModelCallError`. The provider's own words stay in that
error: what is public of a failed call is its kind.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.errors import AutomixError, ModelCallError
from automix_graph.models.chat import model_label, resolve_chat_model
from automix_graph.models.logprobs import reply_tokens
from automix_graph.prompts import well_formed
from automix_graph.records import Call, Stage, Usage

_log: Final = logging.getLogger(__name__)

_RETRYABLE_STATUS: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_WITHHELD: Final = frozenset({"content_filter", "safety"})
_CUT_OFF: Final = frozenset({"length", "max_tokens"}) | _WITHHELD

_REFUSED_STATUS: Final = frozenset({400, 403, 422, 501})
"""403 is what OpenAI says to a request for log-probabilities of a model that gives none."""


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """A chat model and the label under which it is charged.

    Attributes:
        label: e.g. ``"openai:gpt-5-mini"`` or ``"local:smollm2-135m-instruct"``.
        model: the chat model.
    """

    label: str
    model: BaseChatModel


def named(model: str | BaseChatModel | NamedModel) -> NamedModel:
    """Return a model with its label.

    Raises:
        ConfigurationError: it is neither a chat model nor the name of one.
    """
    if isinstance(model, NamedModel):
        return model
    resolved = resolve_chat_model(model)
    return NamedModel(label=model_label(model), model=resolved)


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
        """The text of the reply, as the model wrote it, in valid Unicode; empty where there is none."""
        return well_formed(str(self.message.text)) if self.message else ""

    @property
    def logprobs(self) -> tuple[float, ...]:
        """Natural logarithms of the probabilities of the reply's tokens; empty where the provider does not tell."""
        logprobs = tuple(token.logprob for token in reply_tokens(self.message)) if self.message else ()
        return logprobs if all(map(math.isfinite, logprobs)) else ()  # a record holds JSON, which knows no infinity

    @property
    def cut_off(self) -> bool:
        """Whether the provider ended the reply before the model did."""
        return self._end in _CUT_OFF

    @property
    def withheld(self) -> bool:
        """Whether the provider's content filter ended the reply."""
        return self._end in _WITHHELD

    @property
    def refused(self) -> bool:
        """Whether the provider, or its class, would not have the request as it is: an option of it, or the prompt."""
        error = self.error
        return error is not None and (error.status in _REFUSED_STATUS or isinstance(error.__cause__, TypeError))

    @property
    def _end(self) -> str:
        metadata = self.message.response_metadata if self.message else {}
        return str(metadata.get("finish_reason") or metadata.get("stop_reason")).lower()


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
    except Exception as error:
        if not is_failure(error):
            raise
        return failed_attempt(target, stage, time.perf_counter() - start, error)
    return answered_attempt(target, stage, time.perf_counter() - start, message)


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
    except Exception as error:
        if not is_failure(error):
            raise
        return failed_attempt(target, stage, time.perf_counter() - start, error)
    return answered_attempt(target, stage, time.perf_counter() - start, message)


def _bound(target: NamedModel, options: dict[str, Any] | None) -> Runnable[Any, Any]:
    return target.model.bind(**options) if options else target.model


def answered_attempt(target: NamedModel, stage: Stage, seconds: float, message: AIMessage) -> Attempt:
    """Return the attempt that a message answered, charged with the tokens that the message reports."""
    call = Call(stage=stage, model=target.label, usage=reported_usage(message), seconds=seconds)
    return Attempt(call=call, message=message)


def failed_attempt(target: NamedModel, stage: Stage, seconds: float, error: Exception) -> Attempt:
    """Return the attempt that an exception ended."""
    mapped = map_error(error, model=target.label, stage=stage)
    _log.debug("%s", mapped, exc_info=error)
    call = Call(stage=stage, model=target.label, usage=Usage(), seconds=seconds, error=kind_of(error))
    return Attempt(call=call, error=mapped)


def is_failure(error: Exception) -> bool:
    """Return whether an exception means that a model or a verifier failed.

    Mistakes in code do not, and hiding them would hide the mistake; nor does what LangGraph raises to pause a graph.
    """
    mistakes = (AssertionError, NameError, NotImplementedError)
    return not isinstance(error, mistakes) and not type(error).__module__.startswith("langgraph.")


def kind_of(error: Exception) -> str:
    """Return what kind of failure it was, without a word of the provider: those may repeat a prompt or a draft."""
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__} ({status})" if isinstance(status, int) else type(error).__name__


def reason_of(error: Exception) -> str:
    """Return what a record says of a failure: its kind, and the message if it is this package's own.

    Such a message holds no text of a provider, a document or a user.
    """
    told = isinstance(error, AutomixError) and not isinstance(error, ModelCallError)
    return f"{kind_of(error)}: {error}" if told else kind_of(error)


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
        cache_write_tokens=usage.get("input_token_details", {}).get("cache_creation"),
        reasoning_tokens=usage.get("output_token_details", {}).get("reasoning"),
    )
