"""What every policy is: verifications in, decision out. Arithmetic only; no policy sees a model, a prompt or a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from automix_graph.errors import ConfigurationError
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@runtime_checkable
class Policy(Protocol):
    """Decides whether a draft is kept.

    A policy may also be a `ColumnPolicy`, which decides about many questions at once; one that is not is asked about
    each question.
    """

    @property
    def name(self) -> str:
        """Short name with its parameters, for records and reports."""
        ...

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last of the verifications so far.

        Args:
            history: one verification for each tier asked so far, cheapest first; never empty, and the last one
                succeeded.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What was found about the drafts that one tier gave to many questions.

    Attributes:
        confidence: shape (n,), in [0, 1]; NaN where there is no judgement.
        correct: shape (n,), whether the verdict is CORRECT; False where there is no judgement.
    """

    confidence: NDArray[np.float64]
    correct: NDArray[np.bool_]


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
            history: one entry for each tier asked so far, cheapest first; never empty. What is returned for questions
                whose last verification failed does not count: they always escalate.
        """
        ...


def decide(policy: Policy, history: Sequence[Verification]) -> Decision:
    """Apply a policy, failing closed: without a judgement to go by, every policy escalates.

    Raises:
        ValueError: the history is empty.
        ConfigurationError: the policy returned something else than a decision.
    """
    if not history:
        raise ValueError("a policy decides about at least one verification; the history is empty")
    last = history[-1]
    if last.failure is not None:
        return Decision(accept=False, policy=policy.name, reason=f"no judgement: {last.failure}")
    decision = policy.decide(history)
    if not isinstance(decision, Decision):
        raise ConfigurationError(f"policy {policy.name!r} decided {decision!r}; decide(history) must return a Decision")
    return decision
