"""Policies made of other policies: a ceiling on how many tiers are asked, and a policy for each tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from automix_graph.errors import ConfigurationError
from automix_graph.policies.following import moves_of
from automix_graph.policies.policy import (
    ABSTAIN,
    Judged,
    LimitingPolicy,
    Policy,
    QuestionPolicy,
)
from automix_graph.records import SKIPPED, Decision, Verification, changed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Capped:
    """Follow a policy, but ask a question no more than so many tiers.

    Each tier asked is an answer and its verification, so that this is a ceiling on calls, and, since tiers differ in
    price, a coarse one on cost. What a question may cost in money, tokens or seconds as they are billed is not a
    policy's to know: that belongs to the limits of the graph.

    Where the ceiling is reached and the policy would escalate, the draft is kept after all, or given up. One that has
    no judgement is never kept: it is given up.

    Attributes:
        policy: decides below the ceiling.
        max_tiers: how many tiers are asked at most, at least 1; skipped ones do not count.
        beyond: what becomes of a draft that the policy rejects at the ceiling.

    Raises:
        ConfigurationError: the ceiling is below 1, or ``beyond`` is something else.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> from automix_graph.records import Verdict
        >>> judged = Verification(method="votes", verdict=Verdict.INCORRECT, confidence=0.25)
        >>> Capped(Threshold(0.7), max_tiers=2).decide([judged]).accept
        False
        >>> Capped(Threshold(0.7), max_tiers=2).decide([judged, judged]).reason
        'confidence 0.250 is below 0.7, but 2 of at most 2 tiers were asked'
    """

    policy: Policy
    max_tiers: int
    beyond: Literal["keep", "abstain"] = "keep"

    def __post_init__(self) -> None:
        if isinstance(self.max_tiers, bool) or not isinstance(self.max_tiers, int) or self.max_tiers < 1:
            raise ConfigurationError(f"max_tiers is {self.max_tiers!r}; use a whole number of at least 1")
        if self.beyond not in ("keep", "abstain"):
            raise ConfigurationError(f"beyond is {self.beyond!r}; use 'keep' or 'abstain'")

    @property
    def name(self) -> str:
        """``capped(policy, max_tiers)``."""
        return f"capped({self.policy.name}, {self.max_tiers} tiers)"

    @property
    def keeps(self) -> str:
        """What the policy keeps, and what becomes of the rest at the ceiling."""
        rest = "the rest" if self.beyond == "keep" else "no more"
        return f"{getattr(self.policy, 'keeps', self.policy.name)}; after {self.max_tiers} tiers {rest}"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide as the policy does, up to the ceiling."""
        return self.limit(self.policy.decide(history), history)

    def decide_for(self, question: str, history: Sequence[Verification]) -> Decision:
        """Decide as the policy does about this question, up to the ceiling."""
        return self.limit(_decide_for(self.policy, question, history), history)

    def limit(self, decision: Decision, history: Sequence[Verification]) -> Decision:
        """Return the decision, unless it escalates beyond the ceiling."""
        # Not isinstance: Python looks every member of a protocol up, each time.
        limit: Callable[..., Decision] | None = getattr(self.policy, "limit", None)
        if limit is not None:
            decision = limit(decision, history)
        asked = sum(found is not SKIPPED and found != SKIPPED for found in history)
        if decision.accept or decision.abstain or asked < self.max_tiers:
            return changed(decision, {"policy": self.name})
        keep = self.beyond == "keep" and history[-1].failure is None
        return Decision(
            accept=keep,
            policy=self.name,
            reason=f"{decision.reason}, but {asked} of at most {self.max_tiers} tiers were asked",
            abstain=not keep,
        )

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,).

        Raises:
            ConfigurationError: the policy does not decide about many questions at once.
        """
        tiers = len(history) + 1
        kept: NDArray[np.bool_] = self.moves(history, tiers) == len(history) - 1
        return kept

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,); likewise."""
        return self.limit_moves(moves_of(self.policy, history, tiers), history, tiers)

    def limit_moves(self, moves: NDArray[np.intp], history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return the moves, except where they go beyond the ceiling, shape (n,)."""
        import numpy as np

        if isinstance(self.policy, LimitingPolicy):
            moves = self.policy.limit_moves(moves, history, tiers)
        position = len(history) - 1
        asked = sum(1 if found.asked is None else found.asked.astype(np.intp) for found in history)
        kept = ~np.isnan(history[-1].confidence) & (self.beyond == "keep")
        stopped: NDArray[np.intp] = np.where(kept, position, ABSTAIN)
        return np.where((moves > position) & (asked >= self.max_tiers), stopped, moves)


@dataclass(frozen=True)
class PerTier:
    """Follow one policy at the first tier, another at the second, and so on.

    The confidences of different models, and of different verifiers, are seldom worth the same.

    Attributes:
        policies: for each tier but the last.

    Raises:
        ConfigurationError: there is no policy, or one is a ceiling, which is for all tiers together.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> PerTier((Threshold(0.9), Threshold(0.6))).name
        'per-tier(threshold(0.9), threshold(0.6))'
    """

    policies: tuple[Policy, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", tuple(self.policies))
        if not self.policies:
            raise ConfigurationError("there is no policy; give one for each tier but the last")
        for policy in self.policies:
            if isinstance(policy, LimitingPolicy):
                raise ConfigurationError(f"policy {policy.name!r} limits all tiers; put it around PerTier, not in it")

    @property
    def name(self) -> str:
        """``per-tier(policies)``."""
        return f"per-tier({', '.join(policy.name for policy in self.policies)})"

    @property
    def keeps(self) -> str:
        """What each of the policies keeps."""
        kept = [getattr(policy, "keeps", policy.name) for policy in self.policies]
        return "; ".join(f"tier {tier}: {which}" for tier, which in enumerate(kept))

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide as the policy of the last tier does.

        Raises:
            ConfigurationError: there is none for this tier.
        """
        return self._at(len(history)).decide(history)

    def decide_for(self, question: str, history: Sequence[Verification]) -> Decision:
        """Decide as the policy of the last tier does about this question; likewise."""
        return _decide_for(self._at(len(history)), question, history)

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,); likewise."""
        kept: NDArray[np.bool_] = self.moves(history, len(self.policies) + 1) == len(history) - 1
        return kept

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,); likewise."""
        return moves_of(self._at(len(history)), history, tiers)

    def _at(self, length: int) -> Policy:
        if length > len(self.policies):
            raise ConfigurationError(
                f"policy {self.name!r} is for {len(self.policies) + 1} tiers, of which the last is not verified; it "
                f"was asked to decide about {length} verifications",
                code="policy-decision",
            )
        return self.policies[length - 1]


def _decide_for(policy: Policy, question: str, history: Sequence[Verification]) -> Decision:
    return policy.decide_for(question, history) if isinstance(policy, QuestionPolicy) else policy.decide(history)
