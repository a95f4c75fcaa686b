"""What every policy is: verifications in, decision out. Arithmetic only; no policy sees a model, a prompt or a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from automix_graph.errors import ConfigurationError
from automix_graph.records import Decision, Verification


@runtime_checkable
class Policy(Protocol):
    """Decides whether a draft is kept."""

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
