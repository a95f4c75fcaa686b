"""Asking a model for its answer, with the log-probabilities of its tokens where a verifier reads them.

Not every model reports them, and some refuse a request that asks for them. An answer that a verifier cannot rate is
worth more than none, so such a model is asked again without, and never asked for them again. The refused call stays in
the record as a failed one. What is done about an answer without log-probabilities is up to the verifier.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.remembering import AnswerMemory
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.records import Stage

_log: Final = logging.getLogger(__name__)


class Answering:
    """Ask a model for answers.

    Args:
        model: whom to ask.
        stage: under which its calls are charged.
        logprobs: whether to ask for the log-probabilities of the tokens.
        cache: of what was answered before; None: there is none.
    """

    def __init__(
        self, model: NamedModel, *, stage: Stage, logprobs: bool = False, cache: AnswerCache | None = None
    ) -> None:
        self._model = model
        self._stage: Stage = stage
        self._logprobs = logprobs
        self._refused = threading.Event()
        self._memory = None if cache is None else AnswerMemory(cache, model, stage=stage, logprobs=logprobs)

    def attempts(self, messages: Sequence[BaseMessage], config: RunnableConfig) -> tuple[Attempt, ...]:
        """Return the calls that were made; the last one counts, and may be one that a cache has spared."""
        if self._memory is None:
            return self._asked(messages, config)
        if (known := self._memory.get(messages)) is not None:
            return (known,)
        attempts = self._asked(messages, config)
        self._memory.keep(messages, attempts[-1])
        return attempts

    async def aattempts(self, messages: Sequence[BaseMessage], config: RunnableConfig) -> tuple[Attempt, ...]:
        """Return the calls that were made, asynchronously; see `attempts`."""
        if self._memory is None:
            return await self._aasked(messages, config)
        if (known := await self._memory.aget(messages)) is not None:
            return (known,)
        attempts = await self._aasked(messages, config)
        await self._memory.akeep(messages, attempts[-1])
        return attempts

    def _asked(self, messages: Sequence[BaseMessage], config: RunnableConfig) -> tuple[Attempt, ...]:
        options = self._options
        first = call_model(self._model, messages, stage=self._stage, config=config, options=options)
        if options is None or not _may_refuse_option(first):
            return (first,)
        return self._both(first, call_model(self._model, messages, stage=self._stage, config=config))

    async def _aasked(self, messages: Sequence[BaseMessage], config: RunnableConfig) -> tuple[Attempt, ...]:
        options = self._options
        first = await acall_model(self._model, messages, stage=self._stage, config=config, options=options)
        if options is None or not _may_refuse_option(first):
            return (first,)
        return self._both(first, await acall_model(self._model, messages, stage=self._stage, config=config))

    @property
    def _options(self) -> dict[str, Any] | None:
        return {"logprobs": True} if self._logprobs and not self._refused.is_set() else None

    def _both(self, first: Attempt, second: Attempt) -> tuple[Attempt, ...]:
        # Only a second call that goes well shows that the option was the reason, and not, say, a prompt too long.
        if second.error is None and not self._refused.is_set():
            self._refused.set()
            _log.warning(
                "%s refuses to report log-probabilities (%s); it is asked without", self._model.label, first.call.error
            )
        return first, second


def _may_refuse_option(attempt: Attempt) -> bool:
    """Whether a call may have failed for no other reason than that it asked for log-probabilities."""
    if attempt.error is None:
        return False
    cause = attempt.error.__cause__
    return attempt.refused or "logprob" in str(cause).casefold()
