"""How probable a given reply is under a model, token by token, without letting the model write its own.

Two ways, by what the server can do. Servers that report the log-probabilities of a prompt (vLLM) read the reply as the
beginning of their own and report them in one call. llama.cpp reports log-probabilities only of what it generates, and
these do not depend on its grammars: so a grammar that allows nothing but the reply makes it generate the reply, over
the cached prompt. This module knows no verifier.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.runnables import RunnableConfig

from automix_graph.models.alignment import LOST, spelling_tail
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model, failed_attempt, is_failure
from automix_graph.models.logprobs import ScoredToken, reply_tokens, scored_token
from automix_graph.prompts import well_formed
from automix_graph.records import Call, Stage, Usage

Way = Literal["prompt", "forced"]
"""How a reply is scored: by the log-probabilities of the prompt, or by forcing the reply out."""

_LONGEST_TOKEN: Final = 16
"""Characters; few tokens are longer, and a grammar should not be longer than what is scored."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A reply under a model.

    Attributes:
        call: for the ledger.
        tokens: of the reply, from its beginning, at most as many as were asked for; empty where there was a failure.
        failure: why there are none; None where there are.
        unsupported: whether the server answered, but not as one that can score in this way.
        refused: whether it would not have the request: the way of scoring, or the prompt, for instance for its length.
    """

    call: Call
    tokens: tuple[ScoredToken, ...] = ()
    failure: str | None = None
    unsupported: bool = False
    refused: bool = False

    def first(self, count: int) -> Self:
        """Return the same with at most so many tokens."""
        return dataclasses.replace(self, tokens=self.tokens[:count])


def ways_of(model: BaseChatModel) -> tuple[Way, ...]:
    """Return the ways to try with a model, in this order; none for one that cannot score a given text.

    A model of langchain-openai on a server of the caller's may turn out to know both ways, one or none.
    """
    own = getattr(model, "scores_replies", None)
    if own is not None:
        return (own,)
    if hasattr(model, "root_client") and getattr(model, "openai_api_base", None):
        return ("prompt", "forced")
    return ()


def score_reply(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    reply: str,
    *,
    way: Way,
    max_tokens: int,
    stage: Stage,
    config: RunnableConfig | None = None,
) -> Scored:
    """Score a reply with one model call.

    Args:
        target: whose probabilities are asked for.
        messages: the prompt.
        reply: what is scored; not empty. A NUL is scored as a replacement character: no server can be told of it.
        way: how.
        max_tokens: positions; what comes after them is not scored.
        stage: the node that asks.
        config: of the run.
    """
    text = _scorable(reply, max_tokens)
    if way == "forced":
        options = _forcing(text, max_tokens)
        return _read_forced(call_model(target, messages, stage=stage, config=config, options=options), text)
    start = time.perf_counter()
    model: Any = target.model
    try:
        completion = model.root_client.chat.completions.create(**_prompting(model, messages, text))
    except Exception as error:
        return _failed(target, stage, time.perf_counter() - start, error)
    return _read_prompted(target, stage, time.perf_counter() - start, completion, text).first(max_tokens)


async def ascore_reply(
    target: NamedModel,
    messages: Sequence[BaseMessage],
    reply: str,
    *,
    way: Way,
    max_tokens: int,
    stage: Stage,
    config: RunnableConfig | None = None,
) -> Scored:
    """Score a reply with one model call, asynchronously; see `score_reply`."""
    text = _scorable(reply, max_tokens)
    if way == "forced":
        options = _forcing(text, max_tokens)
        return _read_forced(await acall_model(target, messages, stage=stage, config=config, options=options), text)
    start = time.perf_counter()
    model: Any = target.model
    try:
        completion = await model.root_async_client.chat.completions.create(**_prompting(model, messages, text))
    except Exception as error:
        return _failed(target, stage, time.perf_counter() - start, error)
    return _read_prompted(target, stage, time.perf_counter() - start, completion, text).first(max_tokens)


def _scorable(reply: str, max_tokens: int) -> str:
    """Return the beginning of a reply, long enough for so many tokens, in characters that can be sent and forced."""
    return well_formed(reply[: max_tokens * _LONGEST_TOKEN]).replace("\0", LOST)


def _forcing(reply: str, max_tokens: int) -> dict[str, Any]:
    return {
        "max_tokens": max_tokens,
        "logprobs": True,
        "top_logprobs": 1,
        "extra_body": {"grammar": f"root ::= {literal(reply)}"},
    }


def literal(text: str) -> str:
    r"""Return a GBNF literal that matches exactly a text.

    Example:
        >>> literal('say "no"\n')
        '"say \\"no\\"\\n"'
    """
    return json.dumps(text, ensure_ascii=False).replace("\\b", "\\x08").replace("\\f", "\\x0C")


def _read_forced(attempt: Attempt, reply: str) -> Scored:
    call, message = attempt.call, attempt.message
    if message is None:
        return Scored(call=call, failure=f"the model failed: {call.error}", refused=attempt.refused)
    tokens = tuple(token for token in reply_tokens(message) if token.text)  # the end of the reply has no text
    if not tokens or not reply.startswith(str(message.text).rstrip(LOST)):
        return Scored(call=call, failure="the server cannot be made to generate a given reply", unsupported=True)
    return Scored(call=call, tokens=tokens)


def _prompting(model: Any, messages: Sequence[BaseMessage], reply: str) -> dict[str, Any]:
    return {
        "model": model.model_name,
        "messages": convert_to_openai_messages([*messages, AIMessage(reply)]),
        "max_tokens": 1,
        "temperature": 0,
        "extra_body": {"prompt_logprobs": 0, "add_generation_prompt": False, "continue_final_message": True},
    }


def _failed(target: NamedModel, stage: Stage, seconds: float, error: Exception) -> Scored:
    if not is_failure(error):
        raise error
    attempt = failed_attempt(target, stage, seconds, error)
    return Scored(call=attempt.call, failure=f"the model failed: {attempt.call.error}", refused=attempt.refused)


def _read_prompted(target: NamedModel, stage: Stage, seconds: float, completion: Any, reply: str) -> Scored:
    call = Call(stage=stage, model=target.label, usage=_usage(completion), seconds=seconds)
    positions = (getattr(completion, "model_extra", None) or {}).get("prompt_logprobs")
    if not isinstance(positions, list):
        failure = "the server reports no log-probabilities of a prompt"
        return Scored(call=call, failure=failure, unsupported=True)
    tokens = spelling_tail([_own(position) for position in positions], reply)
    if not tokens:
        failure = "the log-probabilities of the prompt do not end with the reply"
        return Scored(call=call, failure=failure, unsupported=True)
    return Scored(call=call, tokens=tokens)


def _usage(completion: Any) -> Usage:
    usage = getattr(completion, "usage", None)
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=details.cached_tokens if details else None,
    )


def _own(position: object) -> ScoredToken | None:
    """Return the token that stands in the prompt, which the server lists before likelier ones; None: unreadable."""
    if not isinstance(position, Mapping) or not position:
        return None
    first = next(iter(position.values()))
    if not isinstance(first, Mapping):
        return None
    return scored_token(first.get("decoded_token") or "", first.get("logprob", math.nan))
