"""Policies that look at the last verification alone: its verdict, or its confidence against a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import Judged
from automix_graph.records import Decision, Verdict, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AcceptCorrect:
    """Keep the draft exactly if the verdict is CORRECT (for one verdict: confidence > 0.5).

    Example:
        >>> judged = Verification(method="short", verdict=Verdict.CORRECT, confidence=1.0)
        >>> AcceptCorrect().decide([judged]).accept
        True
    """

    @property
    def name(self) -> str:
        """``accept-correct``."""
        return "accept-correct"

    @property
    def keeps(self) -> str:
        """``verdict CORRECT``."""
        return "verdict CORRECT"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last verification."""
        verdict = history[-1].verdict
        return Decision(accept=verdict is Verdict.CORRECT, policy=self.name, reason=f"the verdict is {verdict.value}")

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        return history[-1].correct


@dataclass(frozen=True)
class Threshold:
    """Keep the draft exactly if its confidence is at least the threshold, as in the AutoMix paper (arXiv 2310.12963).

    Attributes:
        minimum: the least confidence, in [0, 1], at which a draft is kept.

    Raises:
        ConfigurationError: the threshold lies outside [0, 1].

    Example:
        >>> judged = Verification(method="token-probability", verdict=Verdict.CORRECT, confidence=0.62)
        >>> Threshold(0.7).decide([judged]).reason
        'confidence 0.620 is below 0.7'
    """

    minimum: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.minimum <= 1.0:
            raise ConfigurationError(f"threshold {self.minimum!r} is not a confidence; use a number in [0, 1]")

    @property
    def name(self) -> str:
        """``threshold(minimum)``."""
        return f"threshold({self.minimum:g})"

    @property
    def keeps(self) -> str:
        """``confidence >= minimum``."""
        return f"confidence >= {self.minimum:g}"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last verification."""
        confidence = history[-1].confidence
        if confidence is None:
            return Decision(accept=False, policy=self.name, reason="there is no confidence")
        accept = confidence >= self.minimum
        relation = "is at least" if accept else "is below"
        return Decision(
            accept=accept, policy=self.name, reason=f"confidence {confidence:.3f} {relation} {self.minimum:g}"
        )

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        return history[-1].confidence >= self.minimum
