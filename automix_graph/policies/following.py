"""Where a policy sends many questions, from their columns of confidences alone: no quality, no cost, no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import ABSTAIN, ColumnPolicy, Judged, LimitingPolicy, MovingPolicy, Policy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Paths:
    """The ways of many questions through the tiers.

    Attributes:
        asked: whether each question was put to each tier, shape (n, tiers).
        end: position of the tier whose answer was kept, shape (n,); `ABSTAIN` where none was.
    """

    asked: NDArray[np.bool_]
    end: NDArray[np.intp]


def follow(policy: Policy, judged: Sequence[Judged]) -> Paths:
    """Return the ways of questions under a policy.

    A tier that was skipped is unknown to the policy, whatever its column holds. Where a verification failed, the
    question escalates to the next tier, as everywhere.

    Args:
        policy: a `MovingPolicy` or `ColumnPolicy`.
        judged: of every tier but the last.

    Raises:
        ConfigurationError: the policy is neither, does not go forward, or did not return one decision a question.

    Example:
        >>> import numpy as np
        >>> from automix_graph.policies import Threshold
        >>> sure = np.array([0.9, 0.2])
        >>> follow(Threshold(0.7), [Judged(confidence=sure, correct=sure > 0.5)]).asked
        array([[ True, False],
               [ True,  True]])
    """
    import numpy as np

    n, tiers = judged[0].confidence.size, len(judged) + 1
    at = np.zeros(n, dtype=np.intp)
    asked = np.zeros((n, tiers), dtype=np.bool_)
    asked[:, 0] = True
    for position in range(tiers - 1):
        history = [_known(found, asked[:, tier]) for tier, found in enumerate(judged[: position + 1])]
        going = moves_of(policy, history, tiers)
        going = np.where(np.isnan(history[-1].confidence), position + 1, going)
        if isinstance(policy, LimitingPolicy):
            going = policy.limit_moves(going, history, tiers)
        here = np.flatnonzero(at == position)
        _check(policy, going[here], position, tiers)
        at[here] = going[here]
        asked[here[going[here] > position], going[here][going[here] > position]] = True
    return Paths(asked=asked, end=at)


def moves_of(policy: Policy, history: Sequence[Judged], tiers: int) -> NDArray[np.intp]:
    """Return where a policy that decides about many questions at once sends them, as `MovingPolicy.moves` does.

    Raises:
        ConfigurationError: the policy decides about one question at a time only, or did not return one decision a
            question.
    """
    import numpy as np

    if isinstance(policy, MovingPolicy):
        moves = policy.moves(history, tiers)
        _check_shape(policy, "moves(history, tiers)", moves, history)
        return moves
    if isinstance(policy, ColumnPolicy):
        accepted = policy.accepts(history)
        _check_shape(policy, "accepts(history)", accepted, history)
        return np.where(accepted, len(history) - 1, len(history))
    raise ConfigurationError(
        f"policy {policy.name!r} decides about one question at a time; give it accepts(history) or "
        "moves(history, tiers), see ColumnPolicy and MovingPolicy",
        code="policy-decision",
    )


def _known(found: Judged, asked: NDArray[np.bool_]) -> Judged:
    import numpy as np

    return Judged(
        confidence=np.where(asked, found.confidence, np.nan), correct=found.correct & asked, asked=asked.copy()
    )


def _check_shape(policy: Policy, called: str, decisions: NDArray[np.generic], history: Sequence[Judged]) -> None:
    import numpy as np

    found, expected = np.shape(decisions), history[-1].confidence.shape
    if found != expected:
        raise ConfigurationError(
            f"policy {policy.name!r} decided in shape {found}; {called} must return shape {expected}, one decision a "
            "question",
            code="policy-decision",
        )


def _check(policy: Policy, going: NDArray[np.intp], position: int, tiers: int) -> None:
    wrong = going[(going != ABSTAIN) & ((going < position) | (going >= tiers))]
    if wrong.size:
        raise ConfigurationError(
            f"policy {policy.name!r} sends questions from tier {position} to tier {int(wrong[0])}; there are tiers 0 "
            f"to {tiers - 1}, and a question only goes on to a later one",
            code="policy-decision",
        )
