"""Several replies to one prompt: in one request where the provider can, else in concurrent ones.

Draws are samples, so a cache of LangChain's is passed by: it would give the first reply again. This module does not
know what the replies are for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.config import ContextThreadPoolExecutor

from automix_graph.errors import ModelCallError
from automix_graph.models.calling import Attempt, NamedModel, answered_attempt, failed_attempt, is_failure
from automix_graph.records import Call, Stage

_REFUSED_STATUS: Final = frozenset({400, 422})


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Replies to one prompt, and the calls that they took.

    Attributes:
        replies: one for each draw, in order; those of one request share its call.
        calls: one for each request, refused ones included.
    """

    replies: tuple[Attempt, ...]
    calls: tuple[Call, ...]


def draw(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    count: int,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Drawn:
    """Draw replies to one prompt.

    A model whose class has a setting ``n`` is asked for all of them at once; what a server leaves out is asked for
    again, and one that refuses gets single requests. Requests run at the same time, at most ``max_concurrency`` of the
    config. A model may limit the choices of one request by an attribute ``most_choices``.

    Args:
        target: whom to ask.
        messages: the prompt.
        count: how many replies, at least 1.
        stage: the node that asks.
        config: of the run, so that callbacks see the calls; a ``run_id`` in it names the run, not one of its requests.
        options: of the calls, e.g. ``{"temperature": 1.0}``. What the model's class has a setting for is set on a copy,
            since not every provider takes it with a call.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> from automix_graph.testing import ScriptedChatModel
        >>> coin = NamedModel(label="coin", model=ScriptedChatModel(["heads", "heads"]))
        >>> drawn = draw(coin, [HumanMessage("Toss.")], count=2, stage="verify")
        >>> [reply.text for reply in drawn.replies], len(drawn.calls)
        (['heads', 'heads'], 2)
    """
    request = _Request.of(target, messages, stage, config, options)
    collected = _Collected(count=count, most=_most_choices(target.model, count))
    while sizes := collected.missing():
        collected.add(sizes, _send_all(request, sizes))
    return collected.drawn()


async def adraw(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    *,
    count: int,
    stage: Stage,
    config: RunnableConfig | None = None,
    options: dict[str, Any] | None = None,
) -> Drawn:
    """Draw replies to one prompt, asynchronously; see `draw`."""
    request = _Request.of(target, messages, stage, config, options)
    collected = _Collected(count=count, most=_most_choices(target.model, count))
    while sizes := collected.missing():
        collected.add(sizes, await _asend_all(request, sizes))
    return collected.drawn()


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What every request of a draw says, whatever its size."""

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
    ) -> _Request:
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
        start = time.perf_counter()
        try:
            result = self.target.model.generate_prompt([self.prompt], **self._arguments(size))
        except Exception as error:
            return [self._failed(start, error)]
        return self._attempts(start, result)

    async def asend(self, size: int) -> list[Attempt]:
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


@dataclass(kw_only=True)
class _Collected:
    """The replies so far, and what that says about the requests to come."""

    count: int
    most: int
    replies: list[Attempt] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def missing(self) -> list[int]:
        """Return the sizes of the requests to make now."""
        left = self.count - len(self.replies)
        return [min(self.most, left - start) for start in range(0, left, self.most)]

    def add(self, sizes: list[int], answers: list[list[Attempt]]) -> None:
        for size, attempts in zip(sizes, answers, strict=True):
            self.calls.append(attempts[0].call)
            error = attempts[0].error
            if error is None:
                self.replies += attempts[:size]
                self.most = min(self.most, len(attempts)) if len(attempts) < size else self.most
            elif size > 1 and _refused(error):
                self.most = 1
            else:
                self.replies += attempts * size

    def drawn(self) -> Drawn:
        return Drawn(replies=tuple(self.replies), calls=tuple(self.calls))


def _send_all(request: _Request, sizes: list[int]) -> list[list[Attempt]]:
    if len(sizes) == 1:
        return [request.send(sizes[0])]
    with ContextThreadPoolExecutor(max_workers=request.config.get("max_concurrency") or len(sizes)) as executor:
        return [future.result() for future in [executor.submit(request.send, size) for size in sizes]]


async def _asend_all(request: _Request, sizes: list[int]) -> list[list[Attempt]]:
    places = asyncio.Semaphore(request.config.get("max_concurrency") or len(sizes))

    async def send(size: int) -> list[Attempt]:
        async with places:
            return await request.asend(size)

    tasks = [asyncio.create_task(send(size)) for size in sizes]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _most_choices(model: BaseChatModel, count: int) -> int:
    """Return how many replies one request may ask for."""
    streams = getattr(model, "streaming", False) or getattr(model, "use_responses_api", False)
    if "n" not in type(model).model_fields or streams:
        return 1
    most = getattr(model, "most_choices", None)
    return max(1, min(count, most)) if isinstance(most, int) else max(1, count)


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


def _refused(error: ModelCallError) -> bool:
    """Whether the provider, or its class, will not have a request for several choices."""
    return error.status in _REFUSED_STATUS or isinstance(error.__cause__, TypeError)
