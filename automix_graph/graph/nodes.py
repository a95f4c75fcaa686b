"""The four nodes. Each factory closes over what its node needs and gives a node that runs without a graph's builder."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.costs import Prices
from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.graph.commit import commit
from automix_graph.graph.node import Node
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.calling import Attempt, NamedModel, acall_model, call_model, is_failure, kind_of
from automix_graph.policies import Policy, decide
from automix_graph.prompts import detect_language, load_prompts, well_formed
from automix_graph.records import Draft, Passage, Record, Verdict, Verification
from automix_graph.verification import Case, Judgement, Verifier

OnLargeFailure = Literal["degrade", "raise"]
"""What to do when the large model fails and a rejected answer is at hand."""

_log: Final = logging.getLogger(__name__)

_NO_DRAFT: Final = Judgement(
    verification=Verification(
        method="none", verdict=Verdict.UNPARSED, confidence=None, failure="the small model gave no answer"
    )
)


def retrieve_node(retriever: Runnable[str, list[Document]], *, language: str) -> Node:
    """Make the node that fetches the passages and starts the record."""

    def start(state: AutomixState, documents: object) -> Update:
        passages = tuple(_passage(document) for document in _checked_documents(documents))
        emit("retrieved", passages=len(passages))
        question = state["question"]
        chosen = detect_language(question) if language == "auto" else language
        record = Record(
            question=question,
            language=chosen,
            prompts=load_prompts(chosen).fingerprint,
            passages=passages,
        )
        return {"record": record.seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        return start(state, retriever.invoke(_checked_question(state), config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        return start(state, await retriever.ainvoke(_checked_question(state), config))

    return Node("retrieve", body, abody, streams=False)


def small_answer_node(small: NamedModel, *, prices: Prices) -> Node:
    """Make the node that drafts an answer. The draft stays in the sealed record; a failure is recorded, not raised."""

    def finish(record: Record, attempt: Attempt) -> Update:
        attempt = _never_empty(attempt)
        calls = prices.charge((attempt.call,))
        draft = None if attempt.error else Draft(tier="small", text=attempt.text)
        emit("drafted", ok=draft is not None)
        return {"record": record.adding(draft=draft, calls=calls).seal()}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        prompt = answer_prompt(record)
        return finish(record, call_model(small, prompt, stage="small_answer", config=config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        prompt = answer_prompt(record)
        return finish(record, await acall_model(small, prompt, stage="small_answer", config=config))

    return Node("small_answer", body, abody, streams=False)


def verify_node(verifier: Verifier, policy: Policy, *, prices: Prices) -> Node:
    """Make the node that has the draft judged and applies the policy; an accepted draft is committed here."""

    def finish(record: Record, draft: str | None, judgement: Judgement) -> Update:
        if not isinstance(judgement, Judgement):
            raise ConfigurationError(f"verifier {verifier.method!r} returned {judgement!r}; it must return a Judgement")
        history = (*record.verifications, judgement.verification)
        decision = decide(policy, history)
        record = record.adding(
            verification=judgement.verification, decision=decision, calls=prices.charge(judgement.calls)
        )
        emit(
            "verified",
            verdict=judgement.verification.verdict.value,
            confidence=judgement.verification.confidence,
            accept=decision.accept,
            reason=decision.reason,
        )
        if decision.accept and draft is not None:
            return commit(record, answer=draft, route="small")
        emit("escalated")
        return {"record": record.seal(), "decision": dataclasses.asdict(decision)}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        draft = record.draft("small")
        if draft is None:
            return finish(record, draft, _NO_DRAFT)
        try:
            judgement = verifier.verify(_case(record, draft), config)
        except Exception as error:
            judgement = _failed_judgement(verifier, error)
        return finish(record, draft, judgement)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        draft = record.draft("small")
        if draft is None:
            return finish(record, draft, _NO_DRAFT)
        try:
            judgement = await verifier.averify(_case(record, draft), config)
        except Exception as error:
            judgement = _failed_judgement(verifier, error)
        return finish(record, draft, judgement)

    return Node("verify", body, abody, streams=False)


def large_answer_node(large: NamedModel, *, prices: Prices, on_failure: OnLargeFailure) -> Node:
    """Make the node that answers with the large model; its tokens are the committed answer, so they stream."""

    def finish(record: Record, attempt: Attempt) -> Update:
        attempt = _never_empty(attempt)
        record = record.adding(calls=prices.charge((attempt.call,)))
        if attempt.error is None:
            message_id = attempt.message.id if attempt.message else None
            record = record.adding(draft=Draft(tier="large", text=attempt.text))
            return commit(record, answer=attempt.text, route="large", message_id=message_id)
        draft = record.draft("small")
        if on_failure == "raise" or draft is None:
            raise attempt.error
        return commit(record, answer=draft, route="small", degraded=True)

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        prompt = answer_prompt(record)
        return finish(record, call_model(large, prompt, stage="large_answer", config=config))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record = Record.unseal(state["record"])
        prompt = answer_prompt(record)
        return finish(record, await acall_model(large, prompt, stage="large_answer", config=config))

    return Node("large_answer", body, abody, streams=True)


def answer_prompt(record: Record) -> Sequence[BaseMessage]:
    """Return what a model is asked for an answer: the same for every tier."""
    prompts = load_prompts(record.language)
    return [SystemMessage(prompts.system), HumanMessage(prompts.render_answer(record.question, record.passages))]


def _case(record: Record, draft: str) -> Case:
    return Case(question=record.question, passages=record.passages, answer=draft, language=record.language)


def _failed_judgement(verifier: Verifier, error: Exception) -> Judgement:
    """Return the judgement of a verifier that raised, or raise again what means no failure."""
    if not is_failure(error):
        raise error
    _log.warning("verifier %s raised %s; the question goes to the large model", verifier.method, kind_of(error))
    _log.debug("verifier %s raised", verifier.method, exc_info=error)
    reason = f"the verifier raised {kind_of(error)}"
    return Judgement(
        verification=Verification(method=verifier.method, verdict=Verdict.UNPARSED, confidence=None, failure=reason)
    )


def _passage(document: Document) -> Passage:
    # Through JSON, so that every checkpointer can store it: NumPy scalars become numbers, what JSON cannot hold a text.
    metadata = json.loads(json.dumps(document.metadata, default=_plain))
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


def _checked_question(state: AutomixState) -> str:
    question: Any = state.get("question")
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
