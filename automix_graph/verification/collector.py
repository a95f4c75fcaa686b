"""The model calls inside somebody else's code, for the ledger: a callback handler that LangChain tells of each.

A call counts even if it failed or its provider reported no tokens. Calls that go around LangChain cannot be seen.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from automix_graph.models.calling import kind_of, reported_usage
from automix_graph.models.catalog import LOCAL_PREFIX
from automix_graph.records import Call, Stage, Usage


@dataclass(frozen=True, kw_only=True)
class _Started:
    label: str | None
    at: float


class CallCollector(BaseCallbackHandler):
    """Collect the calls of one run.

    Args:
        stage: under which they are charged.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel
        >>> collector = CallCollector(stage="verify")
        >>> reply = ScriptedChatModel(["yes"], label="judge").invoke("really?", {"callbacks": [collector]})
        >>> [(call.model, call.usage.output_tokens) for call in collector.calls]
        [('judge', 1)]
    """

    run_inline = True  # in the thread of the call, so that all is counted when the run returns

    def __init__(self, *, stage: Stage) -> None:
        self._stage: Stage = stage
        self._lock = threading.Lock()
        self._running: dict[UUID, _Started] = {}
        self._calls: list[Call] = []

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that have ended, in the order in which they did."""
        with self._lock:
            return tuple(self._calls)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note when a call of a chat model began, and of which."""
        self._start(run_id, metadata)

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Note when a call of a model without chat began, and of which."""
        self._start(run_id, metadata)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Enter a call that was answered."""
        first = response.generations[0][0] if response.generations and response.generations[0] else None
        message = first.message if isinstance(first, ChatGeneration) else None
        usage, reported = Usage(), None
        if isinstance(message, AIMessage):
            usage, reported = reported_usage(message), message.response_metadata.get("model_name")
        self._end(run_id, usage=usage, reported=reported)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Enter a call that failed."""
        kind = kind_of(error) if isinstance(error, Exception) else type(error).__name__
        self._end(run_id, usage=Usage(), error=kind)

    def _start(self, run_id: UUID, metadata: dict[str, Any] | None) -> None:
        with self._lock:
            self._running[run_id] = _Started(label=_label(metadata or {}), at=time.perf_counter())

    def _end(self, run_id: UUID, *, usage: Usage, reported: object = None, error: str | None = None) -> None:
        with self._lock:
            now = time.perf_counter()
            started = self._running.pop(run_id, _Started(label=None, at=now))
            label = started.label or (reported if isinstance(reported, str) and reported else "unnamed model")
            call = Call(stage=self._stage, model=label, usage=usage, seconds=now - started.at, error=error)
            self._calls.append(call)


def _label(metadata: dict[str, Any]) -> str | None:
    """Return the label that the model would have as a tier; its reply may name a dated version of it instead."""
    provider, name = metadata.get("ls_provider"), metadata.get("ls_model_name")
    if not isinstance(name, str) or not name:
        return None
    return name if name.startswith(LOCAL_PREFIX) or not provider else f"{provider}:{name}"
