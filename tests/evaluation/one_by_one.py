from collections.abc import Sequence
from dataclasses import dataclass

from automix_graph.policies import Policy
from automix_graph.records import Decision, Verification


@dataclass(frozen=True)
class OneByOne:
    """Another policy without the way to decide about many questions at once."""

    inner: Policy

    @property
    def name(self) -> str:
        return f"one by one: {self.inner.name}"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return self.inner.decide(history)
