"""What becomes of a question once its draft was judged: the policy decides, a person may be asked, and it goes on."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Final, Literal

from langchain_core.runnables import RunnableConfig

from automix_graph.graph.call_settings import settings_of
from automix_graph.graph.commit import Ending
from automix_graph.graph.handover import hand_on
from automix_graph.graph.node import GOES_TO
from automix_graph.graph.progress import emit
from automix_graph.graph.routing import next_position, review_stage
from automix_graph.graph.state import AutomixState, Update
from automix_graph.policies import Policy, decide
from automix_graph.records import SKIPPED, Decision, Record, Verification, answer_stage, tier_names

Reviewed = Literal["escalate", "abstain"]
"""A decision that a person is asked about before it is followed."""

_GIVEN_UP: Final = -1


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """Who decides about the drafts of a cascade, and what follows.

    Attributes:
        policy: decides.
        tiers: how many there are.
        ending: what becomes of questions that need no other tier.
        reviewed: which decisions a person is asked about.
    """

    policy: Policy
    tiers: int
    ending: Ending
    reviewed: frozenset[Reviewed] = frozenset()

    def following(self, config: RunnableConfig) -> Deciding:
        """Return who decides in one call, which may set a policy of its own."""
        policy = settings_of(config).policy(self.policy)
        return self if policy is self.policy else dataclasses.replace(self, policy=policy)

    def goes(self, record: Record, verification: Verification) -> int | None:
        """Return where a question would go after one more verification: a position; None ends it, -1 without answer."""
        decision = decide(self.policy, (*record.verifications, verification), question=record.question)
        if decision.abstain:
            return _GIVEN_UP
        return next_position(decision, position=len(record.verifications), tiers=self.tiers)

    def escalates(self, record: Record, verification: Verification) -> bool:
        """Return whether a question would go to another tier after one more verification."""
        return self.goes(record, verification) not in (None, _GIVEN_UP)

    def decided(self, state: AutomixState, record: Record) -> Update:
        """Return the update after a verification: the policy has decided, and that is followed or reviewed."""
        verification = record.verifications[-1]
        decision = decide(self.policy, record.verifications, question=record.question)
        record = record.adding(decision=decision)
        emit(
            "verified",
            tier=self._tier(record),
            verdict=verification.verdict.value,
            confidence=verification.confidence,
            accept=decision.accept,
            reason=decision.reason,
        )
        if is_reviewed(decision, self.reviewed):
            emit("review", tier=self._tier(record))
            paused = dataclasses.replace(record, paused=time.time())
            return {"record": hand_on(paused), GOES_TO: review_stage(self._tier(record))}
        return self.followed(state, record)

    def followed(self, state: AutomixState, record: Record) -> Update:
        """Return the update that follows the last decision: the question ends, or goes on to another tier."""
        decision, position = record.decisions[-1], len(record.verifications) - 1
        if decision.abstain:
            return self.ending.abstain(state, record)
        going = next_position(decision, position=position, tiers=self.tiers)
        draft = record.draft(self._tier(record))
        if going is None and draft is not None:
            return self.ending.commit(state, record, draft)
        assert going is not None, "policies.decide lets nobody keep a draft that is not there"
        tier = tier_names(self.tiers)[going]
        emit("escalated", tier=tier)
        for _ in range(position + 1, going):
            record = record.adding(verification=SKIPPED)
        return {"record": hand_on(record), GOES_TO: answer_stage(tier)}

    def _tier(self, record: Record) -> str:
        return tier_names(self.tiers)[len(record.verifications) - 1]


@dataclass(frozen=True, kw_only=True)
class Going:
    """Where a question would go after one more verification, for `Case.goes`.

    Attributes:
        deciding: who decides.
        record: of the question so far.
    """

    deciding: Deciding
    record: Record

    def __call__(self, verification: Verification) -> int | None:
        """Return it; see `Deciding.goes`."""
        return self.deciding.goes(self.record, verification)


def is_reviewed(decision: Decision, reviewed: frozenset[Reviewed]) -> bool:
    """Return whether a person is asked about a decision before it is followed."""
    return not decision.accept and ("abstain" if decision.abstain else "escalate") in reviewed
