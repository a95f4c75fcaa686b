"""Several replies to one prompt: in one request where the provider can, else in concurrent ones.

This module does not know what the replies are for, nor how a request is made (`automix_graph.models.choices`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ContextThreadPoolExecutor

from automix_graph.models.calling import Attempt, NamedModel
from automix_graph.models.choices import Choices, ChoicesRequest, gives_one_choice, most_choices
from automix_graph.records import Call, Stage


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Replies to one prompt, and the calls that they took.

    Attributes:
        replies: one for each draw, in order; those of one request share its call.
        calls: one for each request, refused and repeated ones included.
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
    again, and one that refuses gets single requests. A model whose server turns out to refuse or to ignore ``n`` gets
    single requests from then on. Requests run at the same time, at most ``max_concurrency`` of the config. A model may
    limit the choices of one request by an attribute ``most_choices``, and the requests at one time by
    ``most_requests``.

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
    request = ChoicesRequest.of(target, messages, stage, config, options)
    collected = _Collected.none(target.model, count)
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
    request = ChoicesRequest.of(target, messages, stage, config, options)
    collected = _Collected.none(target.model, count)
    while sizes := collected.missing():
        collected.add(sizes, await _asend_all(request, sizes))
    return collected.drawn()


@dataclass(kw_only=True)
class _Collected:
    """The replies so far, and what that says about the requests to come."""

    model: BaseChatModel
    count: int
    most: int
    refused: bool = False
    replies: list[Attempt] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @classmethod
    def none(cls, model: BaseChatModel, count: int) -> _Collected:
        return cls(model=model, count=count, most=most_choices(model, count))

    def missing(self) -> list[int]:
        """Return the sizes of the requests to make now."""
        left = self.count - len(self.replies)
        return [min(self.most, left - start) for start in range(0, left, self.most)]

    def add(self, sizes: list[int], answers: list[Choices]) -> None:
        for size, answer in zip(sizes, answers, strict=True):
            self.calls += answer.calls
            if size > 1 and answer.failure is not None and answer.failure.refused:
                self.most, self.refused = 1, True
            elif answer.failure is not None:
                self.replies += [answer.failure] * size
            else:
                self.replies += answer.replies[:size]
                self._learn(size, len(answer.replies))

    def _learn(self, asked: int, given: int) -> None:
        """Ask for no more than was given; and never again for several where one is all that is to be had.

        Only a single reply after a refusal shows that it was about their number.
        """
        self.most = min(self.most, given) if given < asked else self.most
        if given == 1 and (asked > 1 or self.refused):
            gives_one_choice(self.model)

    def drawn(self) -> Drawn:
        return Drawn(replies=tuple(self.replies), calls=tuple(self.calls))


def _at_one_time(request: ChoicesRequest, sizes: list[int]) -> int:
    """Return how many requests run at one time: as the config or the model says, else all."""
    limits = (request.config.get("max_concurrency"), getattr(request.target.model, "most_requests", None))
    return min([len(sizes), *(limit for limit in limits if limit)])


def _send_all(request: ChoicesRequest, sizes: list[int]) -> list[Choices]:
    if len(sizes) == 1:
        return [request.send(sizes[0])]
    with ContextThreadPoolExecutor(max_workers=_at_one_time(request, sizes)) as executor:
        return [future.result() for future in [executor.submit(request.send, size) for size in sizes]]


async def _asend_all(request: ChoicesRequest, sizes: list[int]) -> list[Choices]:
    places = asyncio.Semaphore(_at_one_time(request, sizes))

    async def send(size: int) -> Choices:
        async with places:
            return await request.asend(size)

    tasks = [asyncio.create_task(send(size)) for size in sizes]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
