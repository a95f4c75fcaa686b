"""The votes on one answer: counted while they come in, and as what they amount to. It knows no model and no prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from automix_graph.records import Verdict, Verification
from automix_graph.verification.stopping import Stopping, Tally


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How votes are counted.

    Attributes:
        method: the verifier's name.
        samples: how many votes there are to be had.
        quorum: how many of them must hold a decision.

    Example:
        >>> counting = Counting(method="votes", samples=3, quorum=2)
        >>> counting.count([Verdict.CORRECT, Verdict.UNPARSED, Verdict.INCORRECT]).confidence
        0.5
    """

    method: str
    samples: int
    quorum: int

    def count(self, verdicts: Sequence[Verdict], reasons: Sequence[str] = ()) -> Verification:
        """Return what votes amount to.

        Fewer votes than ``samples`` are those of a draw that stopped early: a quorum that they fall short of, but could
        still reach, is not held against them.

        Args:
            verdicts: in the order in which they were drawn, at most ``samples``.
            reasons: why some of them hold no decision.
        """
        votes, correct = len(verdicts), verdicts.count(Verdict.CORRECT)
        parsed = votes - verdicts.count(Verdict.UNPARSED)
        signals = {"votes": votes, "parsed": parsed, "correct": correct}
        if not parsed or parsed + self.samples - votes < self.quorum:
            must = f"{self.quorum} of {self.samples} must"
            often = "".join(f"; most often: {reason}" for reason, _ in Counter(reasons).most_common(1))
            return Verification(
                method=self.method,
                verdict=Verdict.UNPARSED,
                confidence=None,
                verdicts=tuple(verdicts),
                failure=f"{parsed} of {votes} votes hold a decision, and {must}{often}",
                signals=signals,
            )
        confidence = correct / parsed
        verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
        return Verification(
            method=self.method, verdict=verdict, confidence=confidence, verdicts=tuple(verdicts), signals=signals
        )


@dataclass(kw_only=True)
class Ballot:
    """The votes on one answer, while they come in.

    Attributes:
        counting: how they are counted.
        goes: the decision on what they amount to, so that drawing can stop early; None: all are drawn.
        verdicts: so far, in order.
        reasons: why some of them hold no decision.
    """

    counting: Counting
    goes: Callable[[Verification], Hashable] | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def wanted(self) -> int:
        """Return how many votes to draw now; 0 where no vote that is still to come can change the decision."""
        if self._stopping is None:
            return self.counting.samples - len(self.verdicts)
        needed = self._stopping.needed(self._tally())
        return needed if self.verdicts else max(1, needed)  # a policy may have decided already, but about what?

    def add(self, verdict: Verdict, reason: str | None) -> None:
        """Count one more vote; the reason says why it holds no decision."""
        self.verdicts.append(verdict)
        if reason is not None:
            self.reasons.append(reason)

    def verification(self) -> Verification:
        """Return what the votes so far amount to."""
        return self.counting.count(self.verdicts, self.reasons)

    @cached_property
    def _stopping(self) -> Stopping | None:
        goes = self.goes
        if goes is None:
            return None
        return Stopping(self.counting.samples, lambda tally: goes(self.counting.count(_verdicts(tally))))

    def _tally(self) -> Tally:
        return Tally(*map(self.verdicts.count, (Verdict.CORRECT, Verdict.INCORRECT, Verdict.UNPARSED)))


def _verdicts(tally: Tally) -> list[Verdict]:
    return (
        [Verdict.CORRECT] * tally.correct + [Verdict.INCORRECT] * tally.incorrect + [Verdict.UNPARSED] * tally.unparsed
    )
