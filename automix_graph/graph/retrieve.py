"""The node that fetches the passages and starts the record.

A retriever that fails is an error, unless the user wants an answer all the same: the last model then gives one without
passages, and nobody judges, for a judge cannot check a draft against nothing. Such an answer is marked as degraded.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence
from typing import Final, Literal

from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.graph.call_settings import settings_of
from automix_graph.graph.conversation import Asked
from automix_graph.graph.handover import hand_on, taken
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import GOES_TO, Node
from automix_graph.graph.passages import passages_of
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.models.budget import arun_within, run_within
from automix_graph.models.failures import is_failure, kind_of
from automix_graph.prompts import PromptChoice, Prompts
from automix_graph.records import (
    FIRST,
    LAST,
    SKIPPED,
    Decision,
    Record,
    Verdict,
    Verification,
    answer_stage,
    changed,
)

OnRetrieverFailure = Literal["raise", "answer"]
"""What to do when the retriever fails: end with its error, or let the last model answer without passages."""

_log: Final = logging.getLogger(__name__)


def retrieve_node(
    retriever: Runnable[str, list[Document]],
    *,
    prompts: PromptChoice,
    limiting: Limiting,
    on_failure: OnRetrieverFailure = "raise",
    tiers: Sequence[str] = (FIRST, LAST),
) -> Node:
    """Make the node that fetches the passages; it starts the record, unless the question was condensed before.

    Args:
        retriever: fetches them.
        prompts: to choose from.
        limiting: of the question's time.
        on_failure: what is done where it fails.
        tiers: names of those that are asked; all but the last are passed over then.
    """
    usual: Update = {} if on_failure == "raise" else {GOES_TO: answer_stage(tiers[0])}

    def begin(state: AutomixState, config: RunnableConfig) -> tuple[Record, Update]:
        if sealed := state.get("record"):
            return taken(sealed), {}
        asked = Asked.of(state)
        record = start_record(asked.question, prompts, language=settings_of(config).language)
        return changed(record, {"message_id": asked.message_id}), asked.kept

    def finish(record: Record, kept: Update, documents: object) -> Update:
        passages = passages_of(documents)
        emit("retrieved", passages=len(passages))
        return {**kept, **usual, "record": hand_on(changed(record, {"passages": passages}))}

    def failed(record: Record, kept: Update, error: Exception) -> Update:
        if on_failure == "raise" or not is_failure(error) or limiting.ends_with(error):
            raise error
        reason = f"retriever failed: {kind_of(error)}"
        _log.warning("the %s; the last model answers without passages", reason)
        _log.debug("the retriever raised", exc_info=error)
        emit("retrieved", passages=0, failure=reason)
        emit("escalated", tier=LAST)
        unread = without_passages(record, reason, judged=len(tiers) - 1)
        return {**kept, "record": hand_on(unread), GOES_TO: answer_stage(tiers[-1])}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record, kept = begin(state, config)
        try:
            found = run_within(limiting.budget(record), lambda: retriever.invoke(record.question, config))
            return finish(record, kept, found)
        except Exception as error:
            return failed(record, kept, error)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record, kept = begin(state, config)
        budget = limiting.budget(record)
        try:
            found = await arun_within(budget, lambda: retriever.ainvoke(record.question, config))
            return finish(record, kept, found)
        except Exception as error:
            return failed(record, kept, error)

    return Node("retrieve", body, abody, streams=False)


def start_record(question: str, prompts: PromptChoice, *, language: str | None = None) -> Record:
    """Return the record of a question that nobody has answered yet, and for which nothing was retrieved.

    Args:
        question: in words.
        prompts: to choose from.
        language: of the prompts; None: that of the question.

    Raises:
        ConfigurationError: there are no prompts in this language.
    """
    chosen = prompts.of_question(question) if language is None else _in_language(prompts, language)
    return Record(question=question, language=chosen.language, prompts=chosen.fingerprint, began=time.time())


def without_passages(record: Record, reason: str, *, judged: int) -> Record:
    """Return the record of a question that goes to the last tier because no passages could be fetched.

    Args:
        record: so far.
        reason: why none could.
        judged: how many tiers are passed over.
    """
    unread = Verification(method="none", verdict=Verdict.UNPARSED, confidence=None, failure=reason)
    decision = Decision(
        accept=False,
        policy="on_retriever_failure",
        reason=f"{reason}; there is nothing to check an answer against",
        next_tier=-1,
    )
    return dataclasses.replace(
        record,
        verifications=(unread, *[SKIPPED] * (judged - 1)),
        decisions=(decision,),
        degraded_reason=reason,
    )


def _in_language(prompts: PromptChoice, language: str) -> Prompts:
    if language not in prompts.by_language:
        raise ConfigurationError(
            f"language is {language!r}; this graph has prompts for {', '.join(map(repr, prompts.by_language))}",
            code="unknown-language",
        )
    return prompts.named(language)
