"""A draft of an agent's small model, and what was found and decided about it."""

from __future__ import annotations

from dataclasses import dataclass

from automix_graph.agents.replies import Reply
from automix_graph.records import Decision
from automix_graph.verification import Judgement


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A draft, and what was decided about it.

    Attributes:
        draft: of the small model.
        judgement: of the verifier; None where nobody was to judge, since the draft calls tools.
        decision: of the policy; None likewise.
        abstained: whether the question is given up.
    """

    draft: Reply
    judgement: Judgement | None = None
    decision: Decision | None = None
    abstained: bool = False

    @property
    def kept(self) -> bool:
        """Whether the agent gets the draft."""
        return self.decision is None or self.decision.accept
