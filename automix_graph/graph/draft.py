"""The nodes in which models answer: drafts, which stay in the sealed record, and the last, which is committed."""

from __future__ import annotations

from typing import Literal

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.graph.ahead import Ahead
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.answering import Answering
from automix_graph.graph.commit import Ending
from automix_graph.graph.handover import hand_on, taken
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.parts import TierParts
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.calling import Attempt
from automix_graph.models.messages import as_messages
from automix_graph.prompts import PromptChoice
from automix_graph.records import Draft, Record, answer_stage, tier_names
from automix_graph.verification.verifier import reads_logprobs

OnLargeFailure = Literal["degrade", "raise"]
"""What to do when the large model fails and a rejected answer is at hand."""


def draft_node(tier: TierParts, *, prompts: PromptChoice, limiting: Limiting, cache: AnswerCache | None = None) -> Node:
    """Make a node that drafts an answer. The draft stays in the sealed record; a failure is recorded, not raised.

    A tier whose verifier reads log-probabilities is asked for those of its tokens; a model that refuses is asked again
    without, and the record holds both calls.

    Args:
        tier: who answers.
        prompts: what it is asked.
        limiting: what its calls may come to.
        cache: of answers; None: there is none.
    """
    stage = answer_stage(tier.name)
    logprobs = tier.verifier is not None and reads_logprobs(tier.verifier)
    answering = Answering(tier.model, stage=stage, logprobs=logprobs, cache=cache)

    def finish(record: Record, attempts: tuple[Attempt, ...]) -> Update:
        *refused, attempt = attempts
        calls = limiting.prices.charge(call for one in (*refused, attempt) for call in one.calls)
        limiting.check(calls)
        draft = None
        if attempt.error is None:
            draft = Draft(tier=tier.name, text=attempt.text, logprobs=attempt.logprobs if logprobs else ())
        emit("drafted", tier=tier.name, ok=draft is not None)
        return {"record": hand_on(record.adding(draft=draft, calls=calls))}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = taken(state["record"])
        with limiting.over(record):
            return finish(record, answering.attempts(answer_messages(record, prompts), config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = taken(state["record"])
        with limiting.over(record):
            return finish(record, await answering.aattempts(answer_messages(record, prompts), config))

    return Node(stage, body, abody, streams=False)


def last_answer_node(
    tier: TierParts,
    *,
    prompts: PromptChoice,
    limiting: Limiting,
    ending: Ending,
    on_failure: OnLargeFailure,
    ahead: Ahead | None = None,
    cache: AnswerCache | None = None,
) -> Node:
    """Make the node that answers with the last tier; its tokens are the committed answer, so they stream.

    Args:
        tier: who answers.
        prompts: what it is asked.
        limiting: what its calls may come to.
        ending: commits the answer.
        on_failure: what is done where it fails.
        ahead: may have begun the answer; it is then there as a whole, and streamed in pieces.
        cache: of answers, which are streamed likewise; None: there is none.
    """
    stage = answer_stage(tier.name)
    remembering = Answering(tier.model, stage=stage, cache=cache)
    anew = Answering(tier.model, stage=stage)

    def answering(record: Record) -> Answering:
        return remembering if record.degraded_reason is None else anew

    def finish(state: AutomixState, record: Record, attempt: Attempt, *, heard: bool) -> Update:
        record = record.adding(calls=limiting.prices.charge(attempt.calls))
        limiting.check(record.calls)
        if attempt.error is None:
            draft = Draft(tier=tier.name, text=attempt.text)
            streamed = attempt.message.id if attempt.message and heard else None
            return ending.commit(state, record.adding(draft=draft), draft, streamed=streamed)
        best = best_draft(record)
        if on_failure == "raise" or best is None:
            attempt.error.calls = record.calls
            raise attempt.error
        return ending.commit(state, record, best, degraded=attempt.call.error)

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record, begun = taken(state["record"]), None if ahead is None else ahead.take(state)
        if begun is not None:
            return finish(state, record, begun.result(), heard=False)
        messages = answer_messages(record, prompts)
        with limiting.over(record):
            return finish(state, record, *answering(record).attempts(messages, config), heard=True)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record, begun = taken(state["record"]), None if ahead is None else ahead.take(state)
        if begun is not None:
            return finish(state, record, await begun.aresult(), heard=False)
        messages = answer_messages(record, prompts)
        with limiting.over(record):
            return finish(state, record, *await answering(record).aattempts(messages, config), heard=True)

    return Node(stage, body, abody, streams=True)


def ahead_of(tier: TierParts, *, prompts: PromptChoice, cache: AnswerCache | None = None) -> Ahead:
    """Return what begins the answers of the last tier before they are needed."""
    stage = answer_stage(tier.name)
    answering = Answering(tier.model, stage=stage, cache=cache)

    def ask(record: Record, config: RunnableConfig) -> Attempt:
        return answering.attempts(answer_messages(record, prompts), config)[-1]

    async def aask(record: Record, config: RunnableConfig) -> Attempt:
        return (await answering.aattempts(answer_messages(record, prompts), config))[-1]

    return Ahead(tier.model, stage=stage, ask=ask, aask=aask)


def answer_messages(record: Record, prompts: PromptChoice) -> list[BaseMessage]:
    """Return what a model is asked for an answer."""
    return as_messages(prompts.named(record.language).answer(record.question, record.passages))


def best_draft(record: Record) -> Draft | None:
    """Return the rejected answer in which there is most confidence, among equals that of the later tier.

    An answer without a judgement counts least. None where no tier answered.
    """
    confidences = {
        tier: verification.confidence
        for tier, verification in zip(tier_names(len(record.verifications) + 1), record.verifications, strict=False)
    }
    found = [(-1.0 if (sure := confidences.get(draft.tier)) is None else sure, draft) for draft in record.drafts]
    return max(reversed(found), key=lambda pair: pair[0])[1] if found else None
