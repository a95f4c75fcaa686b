"""Policies that heed no confidence: always one tier, or tiers drawn by lot. They are what other policies must beat."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import Judged
from automix_graph.records import Decision, Verification

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Always:
    """Keep the answers of one tier, and send every question to it.

    The first tier is asked, and verified, whatever the policy: to ask one model alone, no cascade is needed. Where a
    verification failed, the question escalates, as under every policy.

    Attributes:
        tier: ``"small"``: the first; ``"large"``: the last; or a position, from 0 for the cheapest.

    Raises:
        ConfigurationError: there is no such tier.

    Example:
        >>> from automix_graph.records import Verdict
        >>> judged = Verification(method="short", verdict=Verdict.CORRECT, confidence=1.0)
        >>> Always("large").decide([judged]).next_tier
        -1
    """

    tier: Literal["small", "large"] | int

    def __post_init__(self) -> None:
        named = self.tier in ("small", "large")
        if not named and (isinstance(self.tier, bool) or not isinstance(self.tier, int) or self.tier < 0):
            raise ConfigurationError(f"tier is {self.tier!r}; use 'small', 'large' or a position from 0")

    @property
    def name(self) -> str:
        """``always(tier)``."""
        return f"always({self.tier})"

    @property
    def keeps(self) -> str:
        """``everything``, ``nothing``, or from which tier on everything."""
        match self.tier:
            case "small" | 0:
                return "everything"
            case "large":
                return "nothing"
            case position:
                return f"everything from tier {position} on"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide by the position of the draft alone."""
        position, goal = len(history) - 1, self._goal
        if goal is not None and position >= goal:
            return Decision(accept=True, policy=self.name, reason=f"the draft is that of tier {position}")
        return Decision(
            accept=False,
            policy=self.name,
            reason=f"the draft is that of tier {position}, and every question goes to the {self._called}",
            next_tier=-1 if goal is None else goal,
        )

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,)."""
        import numpy as np

        kept = self._goal is not None and len(history) > self._goal
        return np.full(history[-1].confidence.shape, kept)

    def moves(self, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
        """Return where every question goes, shape (n,).

        Raises:
            ConfigurationError: there are not so many tiers.
        """
        import numpy as np

        position = len(history) - 1
        goal = tiers - 1 if self._goal is None else self._goal
        if goal >= tiers:
            raise ConfigurationError(
                f"policy {self.name!r} asks for tier {goal}, and the last of {tiers} is {tiers - 1}",
                code="policy-decision",
            )
        return np.full(history[-1].confidence.shape, max(position, goal), dtype=np.intp)

    @property
    def _goal(self) -> int | None:
        match self.tier:
            case "small":
                return 0
            case "large":
                return None
            case position:
                return position

    @property
    def _called(self) -> str:
        return "last tier" if self._goal is None else f"tier {self._goal}"


@dataclass(frozen=True)
class RandomMix:
    """Escalate a share of the questions, drawn by lot: any point on the straight line between two models.

    The lots are drawn by a hash of the seed and of what tells questions apart, so that a question has the same lot on
    every machine and at every replay, and the next tier draws another one:

    - ``decide_for`` (which `policies.decide` takes where it knows the question) hashes the question. The share holds on
      average whatever the confidences are, and questions that are asked again are decided again alike.
    - ``decide`` has nothing but the verifications, and hashes all of their numbers. Questions with the same
      verifications have the same lot: the share holds over verifications that differ, and over seeds, but not over
      short verdicts, which know two values.
    - ``accepts`` draws by row, and keeps the share however many confidences are equal.

    Attributes:
        share: of the questions that escalates, in [0, 1].
        seed: of the lots, at least 0.

    Raises:
        ConfigurationError: the share lies outside [0, 1], or the seed is negative.

    Example:
        >>> from automix_graph.records import Verdict
        >>> judged = Verification(method="short", verdict=Verdict.CORRECT, confidence=1.0)
        >>> RandomMix(0.25, seed=1).decide_for("Which tower is the tallest?", [judged]).reason
        'drew 0.018, below the share of 0.25'
    """

    share: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ConfigurationError(f"share is {self.share!r}; use a number in [0, 1]")
        if self.seed < 0:
            raise ConfigurationError(f"seed is {self.seed!r}; use a whole number of at least 0")

    @property
    def name(self) -> str:
        """``random-mix(share)``."""
        return f"random-mix({self.share:g})"

    @property
    def keeps(self) -> str:
        """``a random share of 1 - share``."""
        return f"a random share of {1.0 - self.share:g}"

    def decide(self, history: Sequence[Verification]) -> Decision:
        """Decide by a lot that hangs on the verifications."""
        return self.decide_for(json.dumps([asdict(found) for found in history], sort_keys=True), history)

    def decide_for(self, question: str, history: Sequence[Verification]) -> Decision:
        """Decide by a lot that hangs on the question and the position of the draft."""
        text = json.dumps([self.seed, len(history), question])
        digest = hashlib.blake2b(text.encode("ascii"), digest_size=8).digest()
        lot = (int.from_bytes(digest, "big") >> 11) / 2.0**53  # as many bits as a float holds, so that it is below 1
        relation = "below" if lot < self.share else "at least"
        reason = f"drew {lot:.3f}, {relation} the share of {self.share:g}"
        return Decision(accept=lot >= self.share, policy=self.name, reason=reason)

    def accepts(self, history: Sequence[Judged]) -> NDArray[np.bool_]:
        """Return which drafts are kept, shape (n,), by a lot that hangs on the row."""
        import numpy as np

        drawn = np.random.default_rng([self.seed, len(history)]).random(history[-1].confidence.size)
        kept: NDArray[np.bool_] = drawn >= self.share
        return kept
