"""A chat model for benchmarks: it says the same after a given time, and reports tokens. It costs nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult


class TimedChatModel(BaseChatModel):
    """Say the same after a while: asynchronously without a thread; called synchronously, at once.

    Attributes:
        label: under which it is charged.
        text: what it says.
        seconds: how long it waits; with 0 it does not even let others take their turn.
    """

    label: str
    text: str
    seconds: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "timed"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        usage = UsageMetadata(input_tokens=1000, output_tokens=50, total_tokens=1050)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.text, usage_metadata=usage))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return self._generate(messages, stop)
