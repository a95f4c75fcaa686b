"""Graphs over scripted models, and servers of them on this machine, for the tests of serving."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr
from starlette.testclient import TestClient

from automix_graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.serving import ServingSettings, create_app
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply

DRAFT = "the DRAFT answer"
LARGE = "the LARGE answer"
PASSAGES = ["First passage.", "Second passage."]
PRICES = {"small": (1, 2), "judge": (3, 4), "large": (10, 20)}
"""USD per million tokens."""

CHAT = "/v1/chat/completions"
KEY = "a-key-that-opens"

Answering = Callable[[str], Reply]


def make_graph(
    *,
    small: Answering | BaseChatModel = lambda _: DRAFT,
    judge: Answering | BaseChatModel = lambda prompt: "Incorrect" if "hard" in prompt else "Correct",
    large: Answering | BaseChatModel = lambda _: LARGE,
    **options: Any,
) -> CompiledGraph:
    """Return a graph that escalates questions with the word "hard"."""
    models = {
        label: model if isinstance(model, BaseChatModel) else FunctionChatModel(model, label=label)
        for label, model in {"small": small, "judge": judge, "large": large}.items()
    }
    return create_automix(
        small=models["small"],
        large=models["large"],
        verifier=models["judge"],
        retriever=StaticRetriever(PASSAGES),
        prices=PRICES,
        **options,
    )


class PatientModel(BaseChatModel):
    """Answers in pieces with pauses, knows no threads, and tells whether its work was cancelled."""

    label: str = "large"
    pieces: tuple[str, ...] = (LARGE,)
    pause: float = 0.0
    error_at: int | None = None
    usage: tuple[int, int] = (5, 1)
    _started: threading.Event = PrivateAttr(default_factory=threading.Event)
    _cancelled: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def started(self) -> threading.Event:
        return self._started

    @property
    def cancelled(self) -> threading.Event:
        return self._cancelled

    @property
    def _llm_type(self) -> str:
        return "patient"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise AssertionError("a server asks asynchronously")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self._started.set()
        try:
            for number, piece in enumerate(self.pieces):
                await asyncio.sleep(self.pause)
                if number == self.error_at:
                    raise ConnectionError("the SECRET words of a provider")
                last = number == len(self.pieces) - 1
                read, written = self.usage
                usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
                message = AIMessageChunk(content=piece, usage_metadata=usage if last else None)
                chunk = ChatGenerationChunk(message=message)
                if run_manager:
                    await run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
        except asyncio.CancelledError:
            self._cancelled.set()
            raise


class Running:
    """A server that answers, and how to stop it."""

    def __init__(self, url: str, server: uvicorn.Server, thread: threading.Thread) -> None:
        self.url = url
        self.server = server
        self.thread = thread


@contextlib.contextmanager
def served(app: FastAPI, *, grace: int = 5) -> Iterator[Running]:
    """Serve an application on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",  # what the extra installs, whatever else is there
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=grace,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", server, thread)
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def chat(question: str, **options: Any) -> dict[str, Any]:
    """Return the body of a request for a chat completion."""
    return {"model": "automix", "messages": [{"role": "user", "content": question}], **options}


def client(*, langserve: bool = False, **settings: Any) -> TestClient:
    """Return a client of a server with these settings, without a socket."""
    return TestClient(create_app(make_graph(), settings=ServingSettings(langserve=langserve, **settings)))


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key."""
    return {"authorization": f"Bearer {key}"}


async def until(event: threading.Event) -> None:
    """Wait for what happens in another thread."""
    assert await asyncio.to_thread(event.wait, 10)
