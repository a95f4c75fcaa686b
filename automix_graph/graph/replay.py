"""A committed answer that no model has streamed, streamed all the same: in pieces, to those who show tokens.

An accepted draft is known as a whole before anybody may see it. Whoever streams tokens gets it piece by piece then, as
the tokens of an escalated answer. Tracers and usage callbacks see nothing of it: no model is asked.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.progress import streams

_PIECES: Final = re.compile(r"\s*\S{1,16}|\s+")
"""Words with the space before them; longer ones, and text without spaces, in parts."""


def pieces_of(text: str) -> list[str]:
    """Return a text in the pieces in which it is streamed; joined, they are the text.

    Example:
        >>> pieces_of("It was in May. ")
        ['It', ' was', ' in', ' May.', ' ']
    """
    return _PIECES.findall(text)


def replay(message: BaseMessage, config: RunnableConfig) -> None:
    """Stream a committed answer to the handlers that turn tokens into a caller's stream, if there are any.

    The message gets the id under which it was streamed, so that nobody is shown it twice.
    """
    if (quiet := _only_streams(config)) is not None:
        message.id = _Replay(text=str(message.text), message_id=str(message.id)).invoke([], quiet).id


async def areplay(message: BaseMessage, config: RunnableConfig) -> None:
    """Stream a committed answer asynchronously; see `replay`."""
    if (quiet := _only_streams(config)) is not None:
        said = await _Replay(text=str(message.text), message_id=str(message.id)).ainvoke([], quiet)
        message.id = said.id


class _Replay(BaseChatModel):
    """Says what it was told to, in pieces."""

    text: str
    message_id: str

    @property
    def _llm_type(self) -> str:
        return "automix-replay"

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        yield from map(self._chunk, pieces_of(self.text))

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in pieces_of(self.text):
            yield self._chunk(piece)

    def _chunk(self, piece: str) -> ChatGenerationChunk:
        return ChatGenerationChunk(message=AIMessageChunk(content=piece, id=self.message_id))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("it only streams")


def _only_streams(config: RunnableConfig) -> RunnableConfig | None:
    callbacks = config.get("callbacks")
    if callbacks is None:
        return None
    if not isinstance(callbacks, BaseCallbackManager):
        found = [handler for handler in callbacks if streams(handler)]
        return {**config, "callbacks": found} if found else None
    handlers: list[BaseCallbackHandler] = [handler for handler in callbacks.handlers if streams(handler)]
    if not handlers:
        return None
    only = callbacks.copy()
    only.handlers = handlers
    only.inheritable_handlers = [handler for handler in callbacks.inheritable_handlers if streams(handler)]
    return {**config, "callbacks": only}
