"""One request for several replies to one prompt, where the provider can: what OpenAI calls choices, by its ``n``.

Replies are samples, so a cache of LangChain's is passed by: it would give the first reply again. This module does not
know how many replies are needed.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableConfig, ensure_config

from automix_graph.models.budget import asend_within, retries_within, send_within, time_option
from automix_graph.models.calling import Attempt, NamedModel, answered_attempt, failed_attempt, failed_call
from automix_graph.models.failures import UnusableReplyError
from automix_graph.models.llm_cache import has_cache
from automix_graph.models.replies import check_reply
from automix_graph.models.retrying import Try, atry_calls, try_calls
from automix_graph.records import Call, Stage

_single: Final[dict[int, weakref.ref[BaseChatModel]]] = {}
"""Models whose server gives one choice a request, by identity: chat models have no hash. Those that end leave."""


def most_choices(model: BaseChatModel, count: int) -> int:
    """Return how many replies one request may ask for, at most so many.

    That is one for a class without a setting ``n``, for OpenAI's Responses API, and for a model that is known to give
    no more (`gives_one_choice`); else what the model says by an attribute ``most_choices``.
    """
    if "n" not in type(model).model_fields or getattr(model, "use_responses_api", False) or id(model) in _single:
        return 1
    most = getattr(model, "most_choices", None)
    return max(1, min(count, most)) if isinstance(most, int) else max(1, count)


def gives_one_choice(model: BaseChatModel) -> None:
    """Remember that a model's server refuses or ignores ``n``, for as long as the model exists."""
    key = id(model)
    _single[key] = weakref.ref(model, lambda _: _single.pop(key, None))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What came of one request.

    Attributes:
        calls: that it took, in order; all but the last have failed.
        replies: as many as came, in order; one of no use is a failure by itself. None where the request failed.
        failure: why; None where there are replies.
    """

    calls: tuple[Call, ...]
    replies: tuple[Attempt, ...] = ()
    failure: Attempt | None = None


@dataclass(frozen=True, kw_only=True)
class ChoicesRequest:
    """What every request for replies to one prompt says, however many it asks for.

    Attributes:
        target: whom to ask: a copy of the model that gives samples.
        prompt: the messages.
        stage: the node that asks.
        config: of the run.
        options: of the calls, but for those that are set on the model.
    """

    target: NamedModel
    prompt: ChatPromptValue
    stage: Stage
    config: RunnableConfig
    options: dict[str, Any]

    @classmethod
    def of(
        cls,
        target: NamedModel,
        messages: Sequence[BaseMessage],
        stage: Stage,
        config: RunnableConfig | None,
        options: dict[str, Any] | None,
    ) -> ChoicesRequest:
        """Return the request; what the model's class has a setting for among the options is set on the copy."""
        fields = type(target.model).model_fields
        settings = {name: value for name, value in (options or {}).items() if name in fields}
        rest = {name: value for name, value in (options or {}).items() if name not in fields}
        return cls(
            target=dataclasses.replace(target, model=_sampler(target.model, settings)),
            prompt=ChatPromptValue(messages=list(messages)),
            stage=stage,
            config=ensure_config(config),
            options=rest,
        )

    def send(self, size: int) -> Choices:
        """Ask for so many replies; return what came, which may be fewer, or one failure."""
        model = self.target.model
        return self._read(
            try_calls(
                send_within(*self._asked(size), lambda: model.generate_prompt([self.prompt], **self._arguments(size))),
                retries=retries_within(self.target.retries),
                breaker=self.target.breaker,
                check=_check,
            )
        )

    async def asend(self, size: int) -> Choices:
        """Ask for so many replies, asynchronously; see `send`."""
        model = self.target.model
        return self._read(
            await atry_calls(
                asend_within(
                    *self._asked(size), lambda: model.agenerate_prompt([self.prompt], **self._arguments(size))
                ),
                retries=retries_within(self.target.retries),
                breaker=self.target.breaker,
                check=_check,
            )
        )

    def _asked(self, size: int) -> tuple[NamedModel, list[BaseMessage], dict[str, Any]]:
        return self.target, self.prompt.to_messages(), {**self.options, "n": size}

    def _arguments(self, size: int) -> dict[str, Any]:
        # What BaseChatModel.invoke takes from a config.
        observed = {name: self.config.get(name) for name in ("callbacks", "tags", "metadata", "run_name")}
        choices = {"n": size} if size > 1 else {}
        return {**self.options, **observed, **choices, **time_option(self.target.model)}

    def _read(self, tries: Sequence[Try[LLMResult]]) -> Choices:
        *failed, last = tries
        calls = tuple(failed_call(self.target, self.stage, one.seconds, one.error) for one in failed if one.error)
        if last.reply is None:
            assert last.error is not None  # one of both is given
            failure = failed_attempt(self.target, self.stage, last.seconds, last.error)
            return Choices(calls=(*calls, failure.call), failure=failure)
        messages = _messages(last.reply)
        # Every choice repeats the tokens of the whole request, so the first one's are those of the call.
        call = answered_attempt(self.target, self.stage, last.seconds, messages[0]).call
        return Choices(calls=(*calls, call), replies=tuple(self._reply(call, message) for message in messages))

    def _reply(self, call: Call, message: AIMessage) -> Attempt:
        try:
            check_reply(message, answers=False, longest=self.target.longest_reply)
        except UnusableReplyError as error:
            return failed_attempt(self.target, self.stage, call.seconds, error)
        return Attempt(call=call, message=message)


def _sampler(model: BaseChatModel, settings: dict[str, Any]) -> BaseChatModel:
    """Return the model with these settings, asking anew each time and giving every choice of a request by itself."""
    update = dict(settings)
    if has_cache(model):
        update["cache"] = False
    if "n" in type(model).model_fields:
        update["disable_streaming"] = True  # choices that stream are merged into one
        if "streaming" in type(model).model_fields:
            update["streaming"] = False  # else ChatOpenAI asks for a stream that nobody reads
        if getattr(model, "n", None) is not None:
            update["n"] = 1  # how many are drawn is for each request to say
    return model.model_copy(update=update) if update else model


def _check(result: LLMResult) -> None:
    if not _messages(result):
        raise UnusableReplyError("malformed_reply")


def _messages(result: LLMResult) -> list[AIMessage]:
    """Return the messages of the choices for the one prompt."""
    choices = result.generations[0] if result.generations else []
    messages = (getattr(choice, "message", None) for choice in choices)
    return [message for message in messages if isinstance(message, AIMessage)]
