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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.runnables import RunnableConfig

from automix_graph.models.alignment import LOST, spelling_tail
from automix_graph.models.budget import asend_within, retries_within, send_within, time_option
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model, failed_attempt, failed_call
from automix_graph.models.failures import UnusableReplyError
from automix_graph.models.logprobs import ScoredToken, reply_tokens, scored_token
from automix_graph.models.retrying import Try, atry_calls, try_calls
from automix_graph.models.usage import completion_usage
from automix_graph.prompts import well_formed
from automix_graph.records import Call, Stage

Way = Literal["prompt", "forced"]
"""How a reply is scored: by the log-probabilities of the prompt, or by forcing the reply out."""

_LONGEST_TOKEN: Final = 16
"""Characters; few tokens are longer, and a grammar should not be longer than what is scored."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A reply under a model.

    Attributes:
        call: for the ledger; of several the last, which counts.
        earlier: calls that failed before it.
        tokens: of the reply, from its beginning, at most as many as were asked for; empty where there was a failure.
        failure: why there are none; None where there are.
        unsupported: whether the server answered, but not as one that can score in this way.
        refused: whether it would not have the request: the way of scoring, or the prompt, for instance for its length.
    """

    call: Call
    earlier: tuple[Call, ...] = ()
    tokens: tuple[ScoredToken, ...] = ()
    failure: str | None = None
    unsupported: bool = False
    refused: bool = False

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call that was made, in order."""
        return (*self.earlier, self.call)

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
    """Score a reply with one model call, and those that it takes where it fails for a reason that may pass.

    A call that reads log-probabilities of the prompt goes to the server directly: LangChain's rate limiters and
    callbacks do not see it.

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
    model: Any = target.model
    asked = _prompting(model, messages, text)
    tries = try_calls(
        send_within(
            target,
            messages,
            asked,
            lambda: model.root_client.chat.completions.create(**asked, **time_option(model)),
        ),
        retries=retries_within(target.retries),
        breaker=target.breaker,
        check=_check,
    )
    return _read_prompted(target, stage, tries, text).first(max_tokens)


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
    model: Any = target.model
    asked = _prompting(model, messages, text)
    tries = await atry_calls(
        asend_within(
            target,
            messages,
            asked,
            lambda: model.root_async_client.chat.completions.create(**asked, **time_option(model)),
        ),
        retries=retries_within(target.retries),
        breaker=target.breaker,
        check=_check,
    )
    return _read_prompted(target, stage, tries, text).first(max_tokens)


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
    message = attempt.message
    scored = Scored(call=attempt.call, earlier=attempt.earlier)
    if message is None:
        return dataclasses.replace(scored, failure=f"the model failed: {attempt.call.error}", refused=attempt.refused)
    tokens = tuple(token for token in reply_tokens(message) if token.text)  # the end of the reply has no text
    if not tokens or not reply.startswith(str(message.text).rstrip(LOST)):
        failure = "the server cannot be made to generate a given reply"
        return dataclasses.replace(scored, failure=failure, unsupported=True)
    return dataclasses.replace(scored, tokens=tokens)


def _prompting(model: Any, messages: Sequence[BaseMessage], reply: str) -> dict[str, Any]:
    return {
        "model": model.model_name,
        "messages": convert_to_openai_messages([*messages, AIMessage(reply)]),
        "max_tokens": 1,
        "temperature": 0,
        "extra_body": {"prompt_logprobs": 0, "add_generation_prompt": False, "continue_final_message": True},
    }


def _check(completion: Any) -> None:
    """Refuse what is no completion: of a server that sends one without log-probabilities, that tells more."""
    if not getattr(completion, "choices", None):
        raise UnusableReplyError("malformed_reply")


def _read_prompted(target: NamedModel, stage: Stage, tries: Sequence[Try[Any]], reply: str) -> Scored:
    *failed, last = tries
    earlier = tuple(failed_call(target, stage, one.seconds, one.error) for one in failed if one.error)
    if last.error is not None:
        attempt = failed_attempt(target, stage, last.seconds, last.error, earlier=earlier)
        return _read_forced(attempt, reply)
    call = Call(stage=stage, model=target.label, usage=completion_usage(last.reply), seconds=last.seconds)
    scored = Scored(call=call, earlier=earlier)
    positions = (getattr(last.reply, "model_extra", None) or {}).get("prompt_logprobs")
    if not isinstance(positions, list):
        failure = "the server reports no log-probabilities of a prompt"
        return dataclasses.replace(scored, failure=failure, unsupported=True)
    tokens = spelling_tail([_own(position) for position in positions], reply)
    if not tokens:
        failure = "the log-probabilities of the prompt do not end with the reply"
        return dataclasses.replace(scored, failure=failure, unsupported=True)
    return dataclasses.replace(scored, tokens=tokens)


def _own(position: object) -> ScoredToken | None:
    """Return the token that stands in the prompt, which the server lists before likelier ones; None: unreadable."""
    if not isinstance(position, Mapping) or not position:
        return None
    first = next(iter(position.values()))
    if not isinstance(first, Mapping):
        return None
    return scored_token(first.get("decoded_token") or "", first.get("logprob", math.nan))
