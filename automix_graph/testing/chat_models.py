"""Chat models for tests: strict about being called, honest about usage, streaming like real ones."""

from __future__ import annotations

import json
import math
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr


@dataclass(frozen=True, kw_only=True)
class ScriptedReply:
    """A reply with more than a text.

    Attributes:
        text: of the reply.
        usage: tokens (input, output); None counts words, ``()`` reports none, as some providers do.
        seconds: to wait before replying.
        finish_reason: why the reply ended, as OpenAI-compatible servers report it.
        token_probabilities: of the next token, by token; reported as OpenAI-compatible servers report them.
        logprobs: the reply's own tokens with the natural logarithms of their probabilities, reported likewise.
        tool_calls: the tools that the reply calls, each a name with its arguments.
    """

    text: str
    usage: tuple[int, int] | tuple[()] | None = None
    seconds: float = 0.0
    finish_reason: str = "stop"
    token_probabilities: tuple[tuple[str, float], ...] = ()
    logprobs: tuple[tuple[str, float], ...] = ()
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()


Reply = str | ScriptedReply | Exception


class _ReplyingChatModel(BaseChatModel):
    """What the two models below share: from a reply to a message, whole or in chunks."""

    label: str = "scripted"
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _options: list[dict[str, Any]] = PrivateAttr(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        # What a cache of LangChain's tells models apart by; the replies of one are never those of another.
        return {"label": self.label, "object": id(self)}

    @property
    def prompts(self) -> list[list[BaseMessage]]:
        """The prompts so far, in the order of the calls."""
        return list(self._prompts)

    @property
    def prompt_texts(self) -> list[str]:
        """The prompts so far, each as one text."""
        return ["\n\n".join(str(message.text) for message in prompt) for prompt in self._prompts]

    @property
    def options(self) -> list[dict[str, Any]]:
        """What was bound to the calls so far, in their order: ``tools``, ``tool_choice``, ``max_tokens`` and so on."""
        return list(self._options)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[Any, AIMessage]:
        """Bind tools as an OpenAI-compatible model would. Replies call tools only where the script says so."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _reply(self, messages: list[BaseMessage]) -> Reply:
        raise NotImplementedError  # the two models below say how

    def _next(self, messages: list[BaseMessage], options: dict[str, Any]) -> ScriptedReply:
        with self._lock:
            self._prompts.append(list(messages))
            self._options.append(options)
            reply = self._reply(messages)
        if isinstance(reply, Exception):
            raise reply
        scripted = ScriptedReply(text=reply) if isinstance(reply, str) else reply
        time.sleep(scripted.seconds)
        return scripted

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._next(messages, kwargs)
        message = AIMessage(
            reply.text,
            tool_calls=_tool_calls(reply),
            usage_metadata=_usage(reply, messages),
            response_metadata=_response_metadata(reply, self.label),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._next(messages, kwargs)
        for piece in re.findall(r"\s*\S+|\s+$", reply.text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        for index, call in enumerate(_tool_calls(reply)):
            part = tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[part]))
        last = AIMessageChunk(
            content="", usage_metadata=_usage(reply, messages), response_metadata=_response_metadata(reply, self.label)
        )
        yield ChatGenerationChunk(message=last)


class ScriptedChatModel(_ReplyingChatModel):
    """Give the replies of a script, one a call, and fail on a call that the script does not foresee.

    Args:
        replies: texts, `ScriptedReply` values, or exceptions to raise, in order.
        label: under which the model is charged.

    Example:
        >>> model = ScriptedChatModel(["Paris"])
        >>> model.invoke("Capital of France?").text
        'Paris'
        >>> model.assert_consumed()
    """

    _replies: list[Reply] = PrivateAttr(default_factory=list)

    def __init__(self, replies: Sequence[Reply], *, label: str = "scripted") -> None:
        super().__init__(label=label)
        self._replies = list(replies)

    def assert_consumed(self) -> None:
        """Fail if the script foresaw calls that were not made."""
        assert not self._replies, f"{self.label}: {len(self._replies)} replies were never asked for: {self._replies!r}"

    def _reply(self, messages: list[BaseMessage]) -> Reply:
        assert self._replies, f"{self.label}: call {len(self._prompts)} was not in the script"
        return self._replies.pop(0)


class FunctionChatModel(_ReplyingChatModel):
    """Reply with what a function makes of the prompt; for batches, where the order of calls is not fixed.

    Args:
        function: from the prompt as one text to a reply.
        label: under which the model is charged.

    Example:
        >>> FunctionChatModel(str.upper).invoke("hello").text
        'HELLO'
    """

    _function: Callable[[str], Reply] = PrivateAttr()

    def __init__(self, function: Callable[[str], Reply], *, label: str = "function") -> None:
        super().__init__(label=label)
        self._function = function

    def _reply(self, messages: list[BaseMessage]) -> Reply:
        return self._function("\n\n".join(str(message.text) for message in messages))


def _tool_calls(reply: ScriptedReply) -> list[ToolCall]:
    return [
        ToolCall(name=name, args=dict(arguments), id=f"call-{uuid.uuid4()}") for name, arguments in reply.tool_calls
    ]


def _usage(reply: ScriptedReply, messages: Sequence[BaseMessage]) -> UsageMetadata | None:
    if reply.usage == ():
        return None
    words = sum(len(str(message.text).split()) for message in messages)
    read, written = reply.usage or (words, len(reply.text.split()))
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


def _response_metadata(reply: ScriptedReply, label: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"model_name": label, "finish_reason": reply.finish_reason}
    if reply.logprobs:
        metadata["logprobs"] = {"content": [{"token": token, "logprob": p} for token, p in reply.logprobs]}
    if reply.token_probabilities:
        top = [{"token": token, "logprob": math.log(p)} for token, p in reply.token_probabilities]
        metadata["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return metadata
