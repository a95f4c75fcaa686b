"""The nodes in which drafts are judged and the policy decides. An accepted draft is committed here."""

from __future__ import annotations

import contextlib

from langchain_core.runnables import RunnableConfig

from automix_graph.graph.ahead import Ahead, Begun
from automix_graph.graph.deciding import Deciding, Going
from automix_graph.graph.handover import hand_on, taken
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.state import AutomixState, Update
from automix_graph.prompts import PromptChoice
from automix_graph.records import Draft, Record, Verdict, Verification, changed, verify_stage
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.asking import aask, ask


def verify_node(
    verifier: Verifier,
    tier: str,
    *,
    deciding: Deciding | None,
    prompts: PromptChoice,
    limiting: Limiting,
    ahead: Ahead | None = None,
) -> Node:
    """Make the node that has the draft of a tier judged and applies the policy.

    Args:
        verifier: who judges.
        tier: whose draft it is.
        deciding: who decides; None: nobody, as when records are made.
        prompts: of the judge.
        limiting: what its calls may come to.
        ahead: begins the answer of the tier that would be next, which is the last one; None: it has time.
    """
    stage = verify_stage(tier)
    no_draft = Judgement(
        verification=Verification(
            method="none", verdict=Verdict.UNPARSED, confidence=None, failure=f"the {tier} model gave no answer"
        )
    )

    def case_of(record: Record, draft: Draft, decides: Deciding | None) -> Case:
        return Case(
            question=record.question,
            passages=record.passages,
            answer=draft.text,
            prompts=prompts.named(record.language),
            logprobs=draft.logprobs,
            goes=None if decides is None else Going(deciding=decides, record=record),
        )

    def finish(
        state: AutomixState, record: Record, judgement: Judgement, decides: Deciding | None, begun: Begun | None = None
    ) -> Update:
        calls = limiting.prices.charge(changed(call, {"stage": stage}) for call in judgement.calls)
        limiting.check(calls)
        kept: Update = {}
        if ahead is not None and begun is not None:
            if decides is None or decides.escalates(record, judgement.verification):
                kept = {"ahead": ahead.keep(begun)}
            else:
                calls += limiting.prices.charge(ahead.unneeded(begun))
        record = record.adding(verification=judgement.verification, calls=calls)
        return {"record": hand_on(record)} if decides is None else {**decides.decided(state, record), **kept}

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record, decides = taken(state["record"]), deciding and deciding.following(config)
        draft = record.draft(tier)
        if draft is None:
            return finish(state, record, no_draft, decides)
        with limiting.over(record):
            begun = None if ahead is None else ahead.begin(record, config)
            with contextlib.nullcontext() if begun is None else begun.unless_failed():
                judgement = ask(verifier, case_of(record, draft, decides), config)
                return finish(state, record, judgement, decides, begun)

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        record, decides = taken(state["record"]), deciding and deciding.following(config)
        draft = record.draft(tier)
        if draft is None:
            return finish(state, record, no_draft, decides)
        with limiting.over(record):
            begun = None if ahead is None else ahead.abegin(record, config)
            with contextlib.nullcontext() if begun is None else begun.unless_failed():
                judgement = await aask(verifier, case_of(record, draft, decides), config)
                return finish(state, record, judgement, decides, begun)

    return Node(stage, body, abody, streams=False)
