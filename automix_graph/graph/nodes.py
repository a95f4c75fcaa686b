"""The four nodes. Each factory closes over what its node needs and gives a node that runs without a graph's builder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import numpy as np
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.costs import Prices
from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.graph.answering import Answering
from automix_graph.graph.commit import commit
from automix_graph.graph.node import Node
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model
from automix_graph.models.messages import as_messages
from automix_graph.policies import Policy, decide
from automix_graph.prompts import PromptChoice, well_formed
from automix_graph.records import Draft, Passage, Record, Route, Stage, Verdict, Verification
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.asking import aask, ask

OnLargeFailure = Literal["degrade", "raise"]
"""What to do when the large model fails and a rejected answer is at hand."""

STAGES: Final[Mapping[Route, Stage]] = {"small": "small_answer", "large": "large_answer"}
"""The node that answers, by tier."""

_NO_DRAFT: Final = Judgement(
    verification=Verification(
        method="none", verdict=Verdict.UNPARSED, confidence=None, failure="the small model gave no answer"
    )
)


def retrieve_node(retriever: Runnable[str, list[Document]], *, prompts: PromptChoice) -> Node:
    """Make the node that fetches the passages and starts the record."""

    def start(state: AutomixState, documents: object) -> Update:
        passages = tuple(_passage(document) for document in _checked_documents(documents))
        emit("retrieved", passages=len(passages))
        return {"record": start_record(state["question"], passages, prompts).seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        return start(state, retriever.invoke(checked_question(state.get("question")), config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        return start(state, await retriever.ainvoke(checked_question(state.get("question")), config))

    return Node("retrieve", body, abody, streams=False)


def start_record(question: str, passages: tuple[Passage, ...], prompts: PromptChoice) -> Record:
    """Return the record of a question that nobody has answered yet."""
    chosen = prompts.of_question(question)
    return Record(question=question, language=chosen.language, prompts=chosen.fingerprint, passages=passages)


def small_answer_node(small: NamedModel, *, prompts: PromptChoice, prices: Prices, logprobs: bool = False) -> Node:
    """Make the node that has the small model draft an answer, see `draft_node`."""
    return draft_node(small, tier="small", prompts=prompts, prices=prices, logprobs=logprobs)


def draft_node(model: NamedModel, *, tier: Route, prompts: PromptChoice, prices: Prices, logprobs: bool) -> Node:
    """Make a node that drafts an answer. The draft stays in the sealed record; a failure is recorded, not raised.

    Args:
        model: who answers.
        tier: whose answer it is.
        prompts: what it is asked.
        prices: of its tokens.
        logprobs: whether to ask for the log-probabilities of its tokens, for a verifier that reads them. A model that
            refuses is asked again without; the record holds both calls.
    """
    stage = STAGES[tier]
    answering = Answering(model, stage=stage, logprobs=logprobs)

    def finish(record: Record, attempts: tuple[Attempt, ...]) -> Update:
        *refused, attempt = attempts
        attempt = _never_empty(attempt)
        calls = prices.charge(one.call for one in (*refused, attempt))
        draft = None
        if attempt.error is None:
            draft = Draft(tier=tier, text=attempt.text, logprobs=attempt.logprobs if logprobs else ())
        emit("drafted", ok=draft is not None)
        return {"record": record.adding(draft=draft, calls=calls).seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        return finish(record, answering.attempts(answer_messages(record, prompts), config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        return finish(record, await answering.aattempts(answer_messages(record, prompts), config))

    return Node(stage, body, abody, streams=False)


def verify_node(
    verifier: Verifier, policy: Policy | None, *, prompts: PromptChoice, prices: Prices, large: str
) -> Node:
    """Make the node that has the draft judged and applies the policy; an accepted draft is committed here.

    Args:
        verifier: who judges.
        policy: who decides; None: nobody, as when records are made.
        prompts: of the judge.
        prices: of its tokens.
        large: label of the large model, with whose answer alone the cost of an accepted draft is compared.
    """

    def accepts(record: Record) -> Callable[[Verification], bool] | None:
        if policy is None:
            return None
        return lambda verification: (
            decide(policy, (*record.verifications, verification), question=record.question).accept
        )

    def case_of(record: Record, draft: Draft) -> Case:
        return Case(
            question=record.question,
            passages=record.passages,
            answer=draft.text,
            prompts=prompts.named(record.language),
            logprobs=draft.logprobs,
            accepts=accepts(record),
        )

    def finish(record: Record, draft: Draft | None, judgement: Judgement) -> Update:
        record = record.adding(verification=judgement.verification, calls=prices.charge(judgement.calls))
        if policy is None:
            return {"record": record.seal()}
        decision = decide(policy, record.verifications, question=record.question)
        record = record.adding(decision=decision)
        emit(
            "verified",
            verdict=judgement.verification.verdict.value,
            confidence=judgement.verification.confidence,
            accept=decision.accept,
            reason=decision.reason,
        )
        if decision.accept and draft is not None:
            return commit(record, answer=draft.text, route="small", large=large, prices=prices)
        emit("escalated")
        return {"record": record.seal(), "decision": dataclasses.asdict(decision)}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        draft = record.draft("small")
        if draft is None:
            return finish(record, draft, _NO_DRAFT)
        return finish(record, draft, ask(verifier, case_of(record, draft), config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        draft = record.draft("small")
        if draft is None:
            return finish(record, draft, _NO_DRAFT)
        return finish(record, draft, await aask(verifier, case_of(record, draft), config))

    return Node("verify", body, abody, streams=False)


def large_answer_node(large: NamedModel, *, prompts: PromptChoice, prices: Prices, on_failure: OnLargeFailure) -> Node:
    """Make the node that answers with the large model; its tokens are the committed answer, so they stream."""

    def finish(record: Record, attempt: Attempt) -> Update:
        attempt = _never_empty(attempt)
        record = record.adding(calls=prices.charge((attempt.call,)))
        if attempt.error is None:
            message_id = attempt.message.id if attempt.message else None
            record = record.adding(draft=Draft(tier="large", text=attempt.text))
            return commit(
                record, answer=attempt.text, route="large", large=large.label, prices=prices, message_id=message_id
            )
        draft = record.draft("small")
        if on_failure == "raise" or draft is None:
            raise attempt.error
        return commit(record, answer=draft.text, route="small", large=large.label, prices=prices, degraded=True)

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        asked = answer_messages(record, prompts)
        return finish(record, call_model(large, asked, stage="large_answer", config=config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        asked = answer_messages(record, prompts)
        return finish(record, await acall_model(large, asked, stage="large_answer", config=config))

    return Node("large_answer", body, abody, streams=True)


def answer_messages(record: Record, prompts: PromptChoice) -> list[BaseMessage]:
    """Return what a model is asked for an answer."""
    return as_messages(prompts.named(record.language).answer(record.question, record.passages))


def _passage(document: Document) -> Passage:
    # Through JSON, so that every checkpointer can store it: NumPy scalars become numbers, NaN (what pandas has for a
    # missing value) null, and what JSON cannot hold a text.
    plain = json.dumps(document.metadata, default=_plain)
    metadata = json.loads(plain, parse_constant=lambda name: None if name == "NaN" else name)
    return Passage(text=well_formed(document.page_content), id=document.id, metadata=metadata)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def _never_empty(attempt: Attempt) -> Attempt:
    """Return the attempt; a reply without text is a failure that was paid for."""
    if attempt.error is not None or attempt.text.strip():
        return attempt
    call = attempt.call
    error = ModelCallError(
        f"{call.model} gave an empty answer in {call.stage}",
        model=call.model,
        stage=call.stage,
        status=None,
        retryable=True,
    )
    return Attempt(call=dataclasses.replace(call, error="empty answer"), error=error)


def checked_question(question: object) -> str:
    """Return a question that can be asked.

    Raises:
        ConfigurationError: it is no text, or blank.
    """
    if not isinstance(question, str) or not question.strip():
        raise ConfigurationError(
            f"question is {question!r}; invoke the graph with {{'question': TEXT}}, where TEXT is a string that is "
            "not empty"
        )
    return question


def _checked_documents(documents: object) -> list[Document]:
    if isinstance(documents, list) and all(isinstance(document, Document) for document in documents):
        return documents
    raise ConfigurationError(
        f"the retriever returned {type(documents).__name__}; it must return a list of langchain_core Documents"
    )
