"""One request for several replies to one prompt, where the provider can: what OpenAI calls choices, by its ``n``.

Replies are samples, so a cache of LangChain's is passed by: it would give the first reply again. This module does not
know how many replies are needed.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableConfig, ensure_config

from automix_graph.models.calling import Attempt, NamedModel, answered_attempt, failed_attempt, is_failure
from automix_graph.records import Stage

_single: Final[dict[int, weakref.ref[BaseChatModel]]] = {}
"""Models whose server gives one choice a request, by identity: chat models have no hash. Those that end leave."""


def most_choices(model: BaseChatModel, count: int) -> int:
    """Return how many replies one request may ask for, at most so many.

    That is one for a class without a setting ``n``, for a model that streams, and for one that is known to give no more
    (`gives_one_choice`); else what the model says by an attribute ``most_choices``.
    """
    streams = getattr(model, "streaming", False) or getattr(model, "use_responses_api", False)
    if "n" not in type(model).model_fields or streams or id(model) in _single:
        return 1
    most = getattr(model, "most_choices", None)
    return max(1, min(count, most)) if isinstance(most, int) else max(1, count)


def gives_one_choice(model: BaseChatModel) -> None:
    """Remember that a model's server refuses or ignores ``n``, for as long as the model exists."""
    key = id(model)
    _single[key] = weakref.ref(model, lambda _: _single.pop(key, None))


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
            target=NamedModel(label=target.label, model=_sampler(target.model, settings)),
            prompt=ChatPromptValue(messages=list(messages)),
            stage=stage,
            config=ensure_config(config),
            options=rest,
        )

    def send(self, size: int) -> list[Attempt]:
        """Ask for so many replies; return what came, which may be fewer, or one failure. They share one call."""
        start = time.perf_counter()
        try:
            result = self.target.model.generate_prompt([self.prompt], **self._arguments(size))
        except Exception as error:
            return [self._failed(start, error)]
        return self._attempts(start, result)

    async def asend(self, size: int) -> list[Attempt]:
        """Ask for so many replies, asynchronously; see `send`."""
        start = time.perf_counter()
        try:
            result = await self.target.model.agenerate_prompt([self.prompt], **self._arguments(size))
        except Exception as error:
            return [self._failed(start, error)]
        return self._attempts(start, result)

    def _arguments(self, size: int) -> dict[str, Any]:
        # What BaseChatModel.invoke takes from a config.
        observed = {name: self.config.get(name) for name in ("callbacks", "tags", "metadata", "run_name")}
        return {**self.options, **observed, **({"n": size} if size > 1 else {})}

    def _failed(self, start: float, error: Exception) -> Attempt:
        if not is_failure(error):
            raise error
        return failed_attempt(self.target, self.stage, time.perf_counter() - start, error)

    def _attempts(self, start: float, result: LLMResult) -> list[Attempt]:
        messages = [message for choice in result.generations[0] if (message := _message(choice)) is not None]
        if not messages:
            return [self._failed(start, ValueError("the response holds no choice"))]
        # Every choice repeats the tokens of the whole request, so the first one's are those of the call.
        first = answered_attempt(self.target, self.stage, time.perf_counter() - start, messages[0])
        return [first, *(Attempt(call=first.call, message=message) for message in messages[1:])]


def _sampler(model: BaseChatModel, settings: dict[str, Any]) -> BaseChatModel:
    """Return the model with these settings, asking anew each time and giving every choice of a request by itself."""
    update = dict(settings)
    if model.cache or (model.cache is None and get_llm_cache() is not None):
        update["cache"] = False
    if "n" in type(model).model_fields:
        update["disable_streaming"] = True  # choices that stream are merged into one
        if getattr(model, "n", None) is not None:
            update["n"] = 1  # how many are drawn is for each request to say
    return model.model_copy(update=update) if update else model


def _message(choice: Any) -> AIMessage | None:
    message = getattr(choice, "message", None)
    return message if isinstance(message, AIMessage) else None
