"""One model call, measured: its reply or its failure, its tokens as reported, its wall time.

A call that fails for a reason that may pass is made again as the model's `Retries` say, and an answer may then come
from a fallback model; every call is kept for the ledger. The provider's own words stay with its exception: what is
public of a failed call is its kind.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.errors import LimitReachedError, ModelCallError
from automix_graph.models.advice import advice_on
from automix_graph.models.budget import asend_within, retries_within, send_within, time_option
from automix_graph.models.failures import Failure, UnusableReplyError, is_failure, kind_of, reason_of
from automix_graph.models.lasting import tell
from automix_graph.models.llm_cache import from_cache, uncached
from automix_graph.models.logprobs import reply_tokens
from automix_graph.models.named import NamedModel, named
from automix_graph.models.provider_errors import asked_address, read_failure
from automix_graph.models.replies import check_reply, end_of
from automix_graph.models.retrying import Try, atry_calls, try_calls
from automix_graph.models.usage import completion_usage, reported_usage
from automix_graph.prompts import well_formed
from automix_graph.records import Call, Stage, Usage, is_answer

__all__ = [
    "Attempt",
    "NamedModel",
    "acall_model",
    "answered_attempt",
    "attempt_of",
    "call_model",
    "failed_attempt",
    "failed_call",
    "is_failure",
    "kind_of",
    "map_error",
    "named",
    "reason_of",
    "reported_usage",
]


_REFUSED_STATUS: Final = frozenset({400, 403, 422, 501})
"""403 is what OpenAI says to a request for log-probabilities of a model that gives none."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of asking a model: exactly one of message and error is given.

    Attributes:
        call: the entry for the ledger; of several calls the last, which counts.
        earlier: those that failed before it, of the same model and of those whose fallback it is.
        message: the reply.
        error: why there is none.
        failure: what that means; None where there is a message.
    """

    call: Call
    message: AIMessage | None = None
    error: ModelCallError | None = None
    failure: Failure | None = None
    earlier: tuple[Call, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call that was made, in order; all of them are paid."""
        return (*self.earlier, self.call)

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
        return self.message is not None and end_of(self.message) in ("truncated", "withheld")

    @property
    def truncated(self) -> bool:
        """Whether the reply reached the longest that its cap, model or server allows; it is a reply all the same."""
        return self.message is not None and end_of(self.message) == "truncated"

    @property
    def withheld(self) -> bool:
        """Whether the provider's content filter ended the reply."""
        return self.message is not None and end_of(self.message) == "withheld"

    @property
    def refused(self) -> bool:
        """Whether the provider, or its class, would not have the request as it is: an option of it, or the prompt."""
        if self.error is None:
            return False
        no_such_option = isinstance(self.error.__cause__, TypeError) and not self.error.retryable
        return self.error.status in _REFUSED_STATUS or no_such_option


def call_model(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Attempt:
    """Ask a model, and again as its `Retries` say; for an answer, then its fallbacks.

    Args:
        target: whom to ask.
        messages: the prompt.
        stage: the node that asks. An answer must be fit to be shown: one that is empty, withheld by a content filter or
            a refusal is a failure. A judge's reply is left to its reader.
        config: of the run, so that callbacks see the calls.
        options: of the call, e.g. ``{"max_tokens": 8}``.
    """
    request = _Request(messages=list(messages), stage=stage, config=config, options=options or {})
    earlier: tuple[Call, ...] = ()
    for model in request.models(target):
        tries = try_calls(
            request.to(model),
            retries=retries_within(model.retries),
            breaker=model.breaker,
            check=request.check_for(model),
        )
        attempt = attempt_of(model, stage, tries, earlier=earlier)
        if not _may_fall_back(attempt):
            break
        earlier = attempt.calls
    return attempt


async def acall_model(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Attempt:
    """Ask a model, asynchronously; see `call_model`."""
    request = _Request(messages=list(messages), stage=stage, config=config, options=options or {})
    earlier: tuple[Call, ...] = ()
    for model in request.models(target):
        tries = await atry_calls(
            request.asynchronously_to(model),
            retries=retries_within(model.retries),
            breaker=model.breaker,
            check=request.check_for(model),
        )
        attempt = attempt_of(model, stage, tries, earlier=earlier)
        if not _may_fall_back(attempt):
            break
        earlier = attempt.calls
    return attempt


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What is asked, whoever is."""

    messages: list[BaseMessage]
    stage: Stage
    config: RunnableConfig | None
    options: dict[str, Any]

    def models(self, target: NamedModel) -> Iterator[NamedModel]:
        """Yield whom to ask, in order. No judge stands in for another: confidence means something else for each."""
        yield target
        if is_answer(self.stage):
            yield from target.fallbacks

    def to(self, model: NamedModel) -> Callable[[], AIMessage]:
        def send() -> AIMessage:
            reply = self._invoke(model.model)
            return reply if self._serves(model, reply) else self._invoke(uncached(model.model))

        return send_within(model, self.messages, self.options, send)

    def asynchronously_to(self, model: NamedModel) -> Callable[[], Awaitable[AIMessage]]:
        async def send() -> AIMessage:
            reply = await self._ainvoke(model.model)
            return reply if self._serves(model, reply) else await self._ainvoke(uncached(model.model))

        return asend_within(model, self.messages, self.options, send)

    def check_for(self, model: NamedModel) -> Callable[[AIMessage], None]:
        return lambda message: check_reply(message, answers=is_answer(self.stage), longest=model.longest_reply)

    def _invoke(self, model: BaseChatModel) -> AIMessage:
        return model.invoke(self.messages, self.config, **self.options, **time_option(model))

    async def _ainvoke(self, model: BaseChatModel) -> AIMessage:
        return await model.ainvoke(self.messages, self.config, **self.options, **time_option(model))

    def _serves(self, model: NamedModel, reply: AIMessage) -> bool:
        """Return whether a reply may be taken: one of a cache that is of no use would come back each time."""
        if not from_cache(reply):
            return True
        try:
            self.check_for(model)(reply)
        except UnusableReplyError:
            return False
        return True


def _may_fall_back(attempt: Attempt) -> bool:
    return attempt.error is not None and attempt.error.retryable


def attempt_of(
    target: NamedModel, stage: Stage, tries: Sequence[Try[AIMessage]], *, earlier: tuple[Call, ...] = ()
) -> Attempt:
    """Return what came of asking a model one or more times.

    Args:
        target: who was asked.
        stage: the node that asked.
        tries: the calls; the last one counts.
        earlier: calls that were made before, of other models.
    """
    *failed, last = tries
    before = (*earlier, *(failed_call(target, stage, one.seconds, one.error) for one in failed if one.error))
    if last.reply is not None:
        return answered_attempt(target, stage, last.seconds, last.reply, earlier=before)
    assert last.error is not None  # one of both is given
    return failed_attempt(target, stage, last.seconds, last.error, earlier=before)


def answered_attempt(
    target: NamedModel, stage: Stage, seconds: float, message: AIMessage, *, earlier: tuple[Call, ...] = ()
) -> Attempt:
    """Return the attempt that a message answered, charged with the tokens that the message reports."""
    usage = reported_usage(message)
    call = Call(stage=stage, model=target.label, usage=usage, seconds=seconds, cached=from_cache(message))
    return Attempt(call=call, message=message, earlier=earlier)


def failed_attempt(
    target: NamedModel, stage: Stage, seconds: float, error: Exception, *, earlier: tuple[Call, ...] = ()
) -> Attempt:
    """Return the attempt that an exception ended."""
    failure = read_failure(error)
    mapped = map_error(error, model=target.label, stage=stage)
    tell(mapped, failure)
    return Attempt(call=failed_call(target, stage, seconds, error), error=mapped, failure=failure, earlier=earlier)


def failed_call(target: NamedModel, stage: Stage, seconds: float, error: Exception) -> Call:
    """Return the ledger's entry of a call that an exception ended, with the tokens that the exception reports."""
    return Call(stage=stage, model=target.label, usage=_usage_of(error), seconds=seconds, error=kind_of(error))


def _usage_of(error: Exception) -> Usage:
    if isinstance(error, UnusableReplyError):
        return error.usage
    refused = isinstance(error, LimitReachedError) and not error.made
    if refused or read_failure(error).kind == "circuit_open":
        return Usage(input_tokens=0, output_tokens=0)  # no call was made
    return completion_usage(getattr(error, "completion", None))


def map_error(error: Exception, *, model: str, stage: Stage) -> ModelCallError:
    """Return what a provider's exception means to the graph; the original is its ``__cause__``."""
    failure = read_failure(error)
    told = kind_of(error)
    if failure.kind != "unknown" and failure.words != told:
        told = f"{told}: {failure.words}"
    advice = advice_on(failure, model=model, address=asked_address(error))
    mapped = ModelCallError(
        f"{model} failed in {stage}: {told}{f'; {advice}' if advice else ''}",
        model=model,
        stage=stage,
        status=failure.status,
        retryable=failure.retryable,
    )
    # Of a reply that is of no use there is no more to tell.
    mapped.__cause__ = None if isinstance(error, UnusableReplyError) else error
    return mapped
