"""A policy with two thresholds, for confidences that tell how hard a question is rather than who is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import Judged
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DoubleThreshold:
    """Escalate the middle of the scale: low <= confidence < high.

    What lies above is good enough; what lies below is beyond the large model too, and would be paid for in vain. On
    some data (CNLI in the AutoMix paper, arXiv 2310.12963) that is how the value of the large model is spread.
    ``DoubleThreshold(0, t)`` is ``Threshold(t)``.

    Attributes:
        low: the least confidence that escalates, in [0, 1].
        high: the least confidence above that which is kept again, in [low, 1]; if equal to ``low``, all are kept.

    Raises:
        ConfigurationError: the thresholds are no such numbers.

    Example:
        >>> from automix_graph.records import Verdict
        >>> judged = Verification(method="votes", verdict=Verdict.INCORRECT, confidence=0.125)
        >>> DoubleThreshold(0.25, 0.75).decide([judged]).reason
        'confidence 0.125 is outside [0.25, 0.75)'
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise ConfigurationError(
                f"the band is [{self.low!r}, {self.high!r}); use two numbers in [0, 1], the lower one first"
            )

    @property
    def name(self) -> str:
        """``double-threshold(low, high)``."""
        return f"double-threshold({self.low:g}, {self.high:g})"

    @property
    def keeps(self) -> str:
        """``confidence < low or >= high``."""
        return f"confidence < {self.low:g} or >= {self.high:g}"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide about the last verification."""
        confidence = history[-1].confidence
        if confidence is None:
            return Decision(accept=False, policy=self.name, reason="there is no confidence")
        inside = self.low <= confidence < self.high
        reason = f"confidence {confidence:.3f} is {'in' if inside else 'outside'} [{self.low:g}, {self.high:g})"
        return Decision(accept=not inside, policy=self.name, reason=reason)

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        confidence = history[-1].confidence
        return (confidence < self.low) | (confidence >= self.high)
