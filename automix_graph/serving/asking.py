"""One question to a graph, as the steps that a client may see: progress, committed text, the outcome.

This is the one place of the room that reads a graph's stream. It relies on what is public of it: the progress events
(`automix_graph.graph.progress`), the messages, which carry committed text alone, and the keys of the output.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.build import CompiledGraph

KEYS: Final = (
    "answer",
    "route",
    "confidence",
    "verdict",
    "documents",
    "usage",
    "cost",
    "degraded",
    "degraded_reason",
)
"""What clients are told of the output of a graph, see `automix_graph.graph.AutomixOutput`."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Something that happened on the way.

    Attributes:
        event: its name.
        fields: what else is known of it.
    """

    event: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A piece of the committed answer; the pieces since the last `Restart` add up to it.

    Attributes:
        text: never empty.
    """

    text: str


@dataclass(frozen=True)
class Restart:
    """The text so far is void: the model that wrote it failed on the way, and another answer begins."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a question.

    Attributes:
        output: of the graph, with the `KEYS`.
    """

    output: Mapping[str, Any]


Step = Progress | Text | Restart | Outcome


class NoAnswerError(RuntimeError):
    """The graph ended without an answer, as it does where it was made to wait for a person."""


Earlier = Sequence[Mapping[str, str]]
"""What was said before a question: messages with ``role`` (``user`` or ``assistant``) and ``content``."""


async def asked(
    graph: CompiledGraph,
    question: str,
    earlier: Earlier = (),
    *,
    config: RunnableConfig,
    deadline: float | None = None,
    as_message: bool = False,
) -> AsyncGenerator[Step, None]:
    """Ask a graph, and tell what may be seen of it. Closing the generator cancels the calls that it caused.

    Args:
        graph: made by `create_automix`.
        question: in words.
        earlier: what was said before it; only a graph that condenses follow-up questions reads it.
        config: of the run.
        deadline: on the clock of the event loop; None: no deadline.
        as_message: whether the question follows on what the thread of the run holds.

    Raises:
        TimeoutError: the deadline passed.
        NoAnswerError: the graph ended without an answer.
    """
    transcript = _Transcript()
    output: Mapping[str, Any] = {}
    stream = graph.astream(_input(question, earlier, as_message), config, stream_mode=["custom", "messages", "values"])
    async with aclosing(cast("AsyncGenerator[tuple[str, Any], None]", stream)) as parts:
        while (part := await _next(parts, deadline)) is not None:
            mode, value = part
            if mode == "custom" and isinstance(value, dict) and "event" in value:
                yield Progress(event=value["event"], fields={k: v for k, v in value.items() if k != "event"})
            elif mode == "messages":
                for step in transcript.heard(value[0]):
                    yield step
            elif mode == "values":
                output = value
    missing = [key for key in KEYS if key not in output]
    if missing:
        raise NoAnswerError(f"the graph ended without {', '.join(missing)}")
    for step in transcript.settled(output["answer"]):
        yield step
    yield Outcome(output={key: output[key] for key in KEYS})


def _input(question: str, earlier: Earlier, as_message: bool) -> Any:
    if not (earlier or as_message):
        return {"question": question}
    return {"messages": [*map(dict, earlier), {"role": "user", "content": question}]}


async def _next(parts: AsyncIterator[tuple[str, Any]], deadline: float | None) -> tuple[str, Any] | None:
    # Around each step and never around a yield: a cancellation must hit the graph, not the one who reads the steps.
    async with asyncio.timeout_at(deadline):
        return await anext(parts, None)


class _Transcript:
    """The text that was passed on, so that what a client has is the answer that the graph commits to."""

    def __init__(self) -> None:
        self._text = ""
        self._id: str | None = None

    def heard(self, message: object) -> Iterator[Step]:
        """Pass on what a message adds; one with another id begins another answer."""
        if not isinstance(message, AIMessage) or not message.text:
            return
        if message.id != self._id:
            yield from self._void()
            self._id = message.id
        yield from self._add(str(message.text))

    def settled(self, answer: str) -> Iterator[Step]:
        """Pass on what is missing of the answer, or all of it where other text was passed on."""
        if not answer.startswith(self._text):
            yield from self._void()
        yield from self._add(answer[len(self._text) :])

    def _void(self) -> Iterator[Step]:
        if self._text:
            self._text = ""
            yield Restart()

    def _add(self, text: str) -> Iterator[Step]:
        if text:
            self._text += text
            yield Text(text=text)
