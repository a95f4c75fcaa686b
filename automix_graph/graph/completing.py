"""The models that a record lacks, asked after the question has ended: on the same passages, by the nodes of the graph.

Fallbacks are left out, so that an answer is that of the tier it is recorded under. Nobody streams, and limits are those
of the budget that is current.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from automix_graph.graph.all_tiers import Run, incomplete
from automix_graph.graph.behind import Mode
from automix_graph.graph.draft import draft_node
from automix_graph.graph.handover import taken
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.parts import Parts, TierParts
from automix_graph.graph.verify import verify_node
from automix_graph.policies import Policy, decide
from automix_graph.records import LAST, Record, answer_stage


class Completing:
    """Ask what has not been asked.

    Args:
        parts: who answers, who judges, with which prompts.
        policy: whose decisions are recorded in shadow mode: what it would have done.
        mode: of the graph. In shadow mode all tiers but the last are asked and judged, in a cascade the last one is.
    """

    def __init__(self, parts: Parts, policy: Policy, *, mode: Mode) -> None:
        self._parts = parts
        self._policy = policy
        self._mode = mode
        self._nodes = tuple(_nodes(parts, parts.tiers[:-1] if mode == "shadow" else parts.tiers[-1:]))

    def __call__(self, record: Record) -> Run:
        """Return the record with all that was missing, drafts cheapest first, and why it is not complete if it is not.

        Its calls are those of the question, followed by those that were made here.
        """
        state: Any = {"record": record.seal()}
        for node in self._nodes:
            state = {**state, **node.invoke(state)}
        found = taken(state["record"])
        order = {tier.name: place for place, tier in enumerate(self._parts.tiers)}
        found = dataclasses.replace(found, drafts=tuple(sorted(found.drafts, key=lambda draft: order[draft.tier])))
        if self._mode == "shadow":
            seen = found.verifications
            would = tuple(
                decide(self._policy, seen[: place + 1], question=found.question) for place in range(len(seen))
            )
            return Run(record=dataclasses.replace(found, decisions=would), error=incomplete(found, self._parts))
        return Run(record=found, error=_unanswered(found))


def _nodes(parts: Parts, tiers: Sequence[TierParts]) -> Sequence[Node]:
    unlimited = Limiting(limits=None, prices=parts.prices)
    nodes = []
    for tier in tiers:
        alone = dataclasses.replace(tier, model=dataclasses.replace(tier.model, fallbacks=()))
        nodes.append(draft_node(alone, prompts=parts.answer_prompts(tier.model), limiting=unlimited))
        if tier.verifier is not None:
            nodes.append(
                verify_node(tier.verifier, tier.name, deciding=None, prompts=parts.prompts, limiting=unlimited)
            )
    return nodes


def _unanswered(record: Record) -> str | None:
    if record.draft(LAST) is not None:
        return None
    errors = [call.error for call in record.calls if call.stage == answer_stage(LAST)]
    return f"the {LAST} model gave no answer: {errors[-1] if errors else 'it was not asked'}"
