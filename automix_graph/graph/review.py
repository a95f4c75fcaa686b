"""The node in which a person is asked about a decision before it is followed, where the user of the graph wants that.

The graph stops in it (`langgraph.types.interrupt`, which needs a checkpointer) and goes on with what the person says:
``graph.invoke(Command(resume="accept"), config)``. Nothing is paid for twice, for the verification belongs to the node
before. Whoever resumes the thread is shown the rejected draft; no stream of answers is.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Literal, get_args

from langchain_core.runnables import RunnableConfig
from langgraph.types import interrupt

from automix_graph.graph.deciding import Deciding
from automix_graph.graph.handover import taken
from automix_graph.graph.node import Node
from automix_graph.graph.routing import review_stage
from automix_graph.graph.state import AutomixState, Update
from automix_graph.records import Decision, Record

Reply = Literal["accept", "escalate", "abstain"]
"""What a person can say: keep the draft, ask the next model, or give the question up."""


def review_node(tier: str, *, deciding: Deciding) -> Node:
    """Make the node in which a person is asked about the draft of a tier.

    Args:
        tier: whose draft it is.
        deciding: follows what the person says.
    """

    def body(state: AutomixState, config: RunnableConfig) -> Update:
        record = taken(state["record"])
        shown = _shown(record, tier)
        said = interrupt(shown)
        while (problem := _problem(said, record, tier)) is not None:
            said = interrupt({**shown, "problem": problem})
        reviewed = dataclasses.replace(record, decisions=(*record.decisions[:-1], _decision(said, record)))
        return deciding.followed(state, _going_on(reviewed))

    async def abody(state: AutomixState, config: RunnableConfig) -> Update:
        return body(state, config)

    return Node(review_stage(tier), body, abody, streams=False)


def _shown(record: Record, tier: str) -> dict[str, Any]:
    draft, found, decision = record.draft(tier), record.verifications[-1], record.decisions[-1]
    return {
        "question": record.question,
        "tier": tier,
        "draft": None if draft is None else draft.text,
        "verdict": found.verdict.value,
        "confidence": found.confidence,
        "decision": "abstain" if decision.abstain else "escalate",
        "reason": decision.reason,
        "passages": [passage.text for passage in record.passages],
        "replies": list(get_args(Reply)),
    }


def _problem(said: object, record: Record, tier: str) -> str | None:
    """Return why a reply cannot be followed, and what can; the person is asked again."""
    if said not in get_args(Reply):
        return f"the review was answered {said!r}; resume with one of {', '.join(map(repr, get_args(Reply)))}"
    if said == "accept" and record.draft(tier) is None:
        return f"the {tier} model gave no answer to accept; resume with 'escalate' or 'abstain'"
    return None


def _going_on(record: Record) -> Record:
    """Return the record as if the person had taken no time, which limits on seconds do not count."""
    waited = 0.0 if record.paused is None else max(time.time() - record.paused, 0.0)
    return dataclasses.replace(record, began=None if record.began is None else record.began + waited, paused=None)


def _decision(said: str, record: Record) -> Decision:
    usual = record.decisions[-1]
    return Decision(
        accept=said == "accept",
        abstain=said == "abstain",
        next_tier=usual.next_tier if said == "escalate" else None,
        policy="review",
        reason=f"a person said {said!r}; before, {usual.policy}: {usual.reason}",
    )
