"""What is taken from a cache of answers, and what is kept in it.

Kept is what a model itself wrote in one piece, and a judgement that was made without a failure. Nothing is kept of a
call that failed or was refused, of an answer that was cut off or came from a fallback, of a verification without a
verdict, or of a question that goes on without its passages.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.call_settings import settings_of
from automix_graph.graph.deciding import Going
from automix_graph.graph.fingerprints import (
    fingerprint,
    model_fingerprint,
    policy_fingerprint,
    verifier_fingerprint,
)
from automix_graph.models.calling import Attempt, NamedModel
from automix_graph.policies import Policy
from automix_graph.records import Call, Draft, Record, Stage
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.verifier import models_of, reads_logprobs


class AnswerMemory:
    """Remembers what a model answered to a prompt, which holds the question, the passages and the language.

    Args:
        cache: where.
        model: who answers.
        stage: under which its calls are charged.
        logprobs: whether the log-probabilities of its tokens are read.
    """

    def __init__(self, cache: AnswerCache, model: NamedModel, *, stage: Stage, logprobs: bool) -> None:
        self._cache = cache
        self._model = model
        self._stage = stage
        self._identity = [model_fingerprint(model), logprobs]

    def get(self, messages: Sequence[BaseMessage]) -> Attempt | None:
        """Return the answer to a prompt, as a call that was not made; None where there is none."""
        return self._read(self._cache.get("answers", self._key(messages)))

    async def aget(self, messages: Sequence[BaseMessage]) -> Attempt | None:
        """Return the answer to a prompt, asynchronously; see `get`."""
        return self._read(await self._cache.aget("answers", self._key(messages)))

    def keep(self, messages: Sequence[BaseMessage], attempt: Attempt) -> None:
        """Keep an answer, if it is one to keep."""
        if self._is_kept(attempt):
            self._cache.set("answers", self._key(messages), _answer_of(attempt))

    async def akeep(self, messages: Sequence[BaseMessage], attempt: Attempt) -> None:
        """Keep an answer, asynchronously; see `keep`."""
        if self._is_kept(attempt):
            await self._cache.aset("answers", self._key(messages), _answer_of(attempt))

    def _key(self, messages: Sequence[BaseMessage]) -> str:
        return fingerprint(*self._identity, [[message.type, str(message.text)] for message in messages])

    def _is_kept(self, attempt: Attempt) -> bool:
        own = attempt.call.model == self._model.label
        return own and attempt.error is None and not attempt.cut_off

    def _read(self, kept: Record | None) -> Attempt | None:
        if kept is None or len(kept.drafts) != 1 or len(kept.calls) != 1:
            return None
        draft = kept.drafts[0]
        told = [{"token": "", "logprob": logprob} for logprob in draft.logprobs]
        message = AIMessage(draft.text, response_metadata={"logprobs": {"content": told}} if told else {})
        return Attempt(call=_not_made(kept.calls[0], self._stage), message=message)


class RememberingVerifier:
    """Judges as another verifier does, and what that has judged before as it did then.

    Args:
        verifier: who judges.
        cache: where its judgements are kept.
        policy: of the graph; a verifier may stop early for it, so that a judgement belongs to one policy.
    """

    def __init__(self, verifier: Verifier, cache: AnswerCache, *, policy: Policy) -> None:
        self._verifier = verifier
        self._cache = cache
        self._policy = policy
        self._identity = [verifier_fingerprint(verifier), policy_fingerprint(policy)]

    @property
    def method(self) -> str:
        """That of the verifier."""
        return self._verifier.method

    @property
    def models(self) -> tuple[NamedModel, ...] | None:
        """Those of the verifier."""
        return models_of(self._verifier)

    @property
    def reads_logprobs(self) -> bool:
        """Whether the verifier does."""
        return reads_logprobs(self._verifier)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer, or remember how it was judged."""
        key = self._key(case, config)
        if (kept := _judgement(self._cache.get("verifications", key))) is not None:
            return kept
        judgement = self._verifier.verify(case, config)
        if _is_kept(judgement):
            self._cache.set("verifications", key, _record_of(judgement))
        return judgement

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer asynchronously, or remember how it was judged."""
        key = self._key(case, config)
        if (kept := _judgement(await self._cache.aget("verifications", key))) is not None:
            return kept
        judgement = await self._verifier.averify(case, config)
        if _is_kept(judgement):
            await self._cache.aset("verifications", key, _record_of(judgement))
        return judgement

    def _key(self, case: Case, config: RunnableConfig | None) -> str:
        of_this_call = settings_of(config or {}).policy(self._policy)
        policy = [] if of_this_call is self._policy else [policy_fingerprint(of_this_call)]
        passages = [[passage.id, passage.text, _plain(passage.metadata)] for passage in case.passages]
        # A verifier that stops early does so for what the policy makes of all that was seen, also of earlier drafts.
        going = case.goes if isinstance(case.goes, Going) else None
        before = [] if going is None else [going.deciding.tiers, *map(repr, going.record.verifications)]
        asked = [case.question, passages, case.answer, list(map(repr, case.logprobs)), case.prompts.fingerprint]
        return fingerprint(*self._identity, policy, before, asked)


def _plain(metadata: Any) -> list[Any]:
    return sorted([str(name), repr(value)] for name, value in metadata.items())


def _answer_of(attempt: Attempt) -> Record:
    draft = Draft(tier="", text=attempt.text, logprobs=attempt.logprobs)
    return Record(question="", language="", prompts="", drafts=(draft,), calls=(attempt.call,))


def _is_kept(judgement: object) -> bool:
    if not isinstance(judgement, Judgement) or judgement.verification.failure is not None:
        return False
    return all(call.error is None for call in judgement.calls)


def _record_of(judgement: Judgement) -> Record:
    return Record(question="", language="", prompts="", verifications=(judgement.verification,), calls=judgement.calls)


def _judgement(kept: Record | None) -> Judgement | None:
    if kept is None or len(kept.verifications) != 1 or kept.verifications[0].failure is not None:
        return None
    calls = tuple(_not_made(call, call.stage) for call in kept.calls)
    return Judgement(verification=kept.verifications[0], calls=calls)


def _not_made(call: Call, stage: Stage) -> Call:
    return dataclasses.replace(call, stage=stage, seconds=0.0, cost=None, cached=True)
