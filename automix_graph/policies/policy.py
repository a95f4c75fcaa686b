"""What every policy is: verifications in, decision out. Arithmetic only; no policy sees a model, a prompt or a text.

Tiers are known by position, from 0 for the cheapest. The history that a policy sees has one entry for each tier up to
the last one asked; a tier that was skipped holds its place as `SKIPPED`, so that the position of the draft at hand is
always ``len(history) - 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from automix_graph.errors import ConfigurationError
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ABSTAIN: Final = -1
"""Where a question goes that is given up, in what `MovingPolicy.moves` returns."""


@runtime_checkable
class Policy(Protocol):
    """Decides whether a draft is kept, and where the question goes if it is not.

    A policy may also be a `ColumnPolicy`, or a `MovingPolicy`, which decide about many questions at once; one that is
    neither is asked about each question.
    """

    @property
    def name(self) -> str:
        """Short name with its parameters, for records and reports."""
        ...

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last of the verifications so far.

        Args:
            history: one verification for each tier so far, cheapest first, `SKIPPED` for one that was not asked; never
                empty, and the last one succeeded.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What was found about the drafts that one tier gave to many questions.

    Attributes:
        confidence: shape (n,), in [0, 1]; NaN where there is no judgement, be it that the tier was not asked.
        correct: shape (n,), whether the verdict is CORRECT; False where there is no judgement.
        asked: shape (n,), whether the tier was asked; None: it always was.
    """

    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]
    asked: NDArray[np.bool_] | None = None


@runtime_checkable
class ColumnPolicy(Policy, Protocol):
    """A policy that decides about many questions at once, so that years of records are replayed in no time."""

    @property
    def keeps(self) -> str:
        """Which drafts are kept, in a few words, for reports."""
        ...

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,): for every question what ``decide`` would.

        Args:
            history: one entry for each tier so far, cheapest first; never empty. What is returned for questions
                whose last verification failed does not count: they always escalate.
        """
        ...


@runtime_checkable
class MovingPolicy(Policy, Protocol):
    """A policy that may skip tiers or give a question up, and decides about many questions at once."""

    @property
    def keeps(self) -> str:
        """Which drafts are kept, in a few words, for reports."""
        ...

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,): what ``decide`` would decide about it.

        That is the position of the draft at hand, ``len(history) - 1``, where it is kept, that of the tier to be asked
        next, or `ABSTAIN`.

        Args:
            history: as for `ColumnPolicy.accepts`.
            tiers: how many there are.
        """
        ...


@runtime_checkable
class QuestionPolicy(Policy, Protocol):
    """A policy that tells questions apart by more than what was found about them, as one that draws lots must."""

    def decide_for(self, question: str, history: Sequence[Verification]) -> Decision:
        """Decide as ``decide`` does, about this very question.

        Args:
            question: its text, or any other name that it alone has.
            history: as for `Policy.decide`.
        """
        ...


@runtime_checkable
class LimitingPolicy(Policy, Protocol):
    """A policy that has the last word on how far a question goes, also where there is no judgement to go by."""

    def limit(self, decision: Decision, history: Sequence[Verification]) -> Decision:
        """Return the decision, or the one that takes its place."""
        ...

    def limit_moves(self, moves: NDArray[np.intp], history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return the moves of many questions, or those that take their place, shape (n,)."""
        ...


def decide(policy: Policy, history: Sequence[Verification], *, question: str | None = None) -> Decision:
    """Apply a policy, failing closed: without a judgement to go by, every policy escalates, to the next tier.

    Args:
        policy: decides.
        history: one verification for each tier so far, cheapest first, `SKIPPED` for one that was not asked.
        question: what tells it from others, for a `QuestionPolicy`.

    Raises:
        ConfigurationError: the history is empty.
        ConfigurationError: the policy returned something else than a decision, or one that does not go forward.

    Example:
        >>> from automix_graph.policies import Threshold
        >>> from automix_graph.records import Verdict
        >>> failed = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")
        >>> decide(Threshold(0.0), [failed]).accept
        False
    """
    if not history:
        raise ConfigurationError("a policy decides about at least one verification; the history is empty")
    last = history[-1]
    if last.failure is not None:
        decision = Decision(accept=False, policy=policy.name, reason=f"no judgement: {last.failure}")
        if isinstance(policy, LimitingPolicy):
            decision = _checked(policy, policy.limit(decision, history), len(history) - 1)
        if decision.accept:
            raise ConfigurationError(
                f"policy {policy.name!r} keeps a draft without a judgement; escalate or abstain", code="policy-decision"
            )
        return decision
    # Not isinstance: Python looks every member of a protocol up, each time.
    decide_for: Callable[..., object] | None = getattr(policy, "decide_for", None)
    if question is not None and decide_for is not None:
        return _checked(policy, decide_for(question, history), len(history) - 1)
    return _checked(policy, policy.decide(history), len(history) - 1)


def _checked(policy: Policy, decision: object, position: int) -> Decision:
    if not isinstance(decision, Decision):
        raise ConfigurationError(
            f"policy {policy.name!r} decided {decision!r}; decide(history) must return a Decision",
            code="policy-decision",
        )
    if decision.next_tier is not None and -1 < decision.next_tier <= position:
        raise ConfigurationError(
            f"policy {policy.name!r} sends a question from the tier at position {position} to that at "
            f"{decision.next_tier}; a question only goes on to a later one, and -1 is the last",
            code="policy-decision",
        )
    return decision
