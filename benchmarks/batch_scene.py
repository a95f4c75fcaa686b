"""What the benchmarks of batches run on: chat models that wait and then say the same, and a graph over them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from automix_graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import StaticRetriever

CALLS = 3
"""Model calls of a question, one after the other: all escalate."""


class WaitingChatModel(BaseChatModel):
    """Say the same after a wait, and remember nothing.

    Attributes:
        label: under which the model is charged.
        text: what it says.
        seconds: how long it waits.
    """

    label: str
    text: str
    seconds: float

    @property
    def _llm_type(self) -> str:
        return "waiting"

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
        await asyncio.sleep(self.seconds)
        return self._generate(messages, stop)


def graph(seconds: float) -> CompiledGraph:
    """Return a graph in which every question takes three calls, each of so many seconds."""
    return create_automix(
        small=WaitingChatModel(label="small", text="In June.", seconds=seconds),
        verifier=WaitingChatModel(label="judge", text="Incorrect", seconds=seconds),
        large=WaitingChatModel(label="large", text="In May.", seconds=seconds),
        retriever=StaticRetriever(["It was in May, as four witnesses have said."] * 4),
        prices={"small": (0.25, 2), "judge": (1, 5), "large": (1.25, 10)},
    )


def write_questions(path: Path, count: int) -> Path:
    """Write a data set of so many questions."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": number, "question": f"When was event {number}?"}) + "\n")
    return path
