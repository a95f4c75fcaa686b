"""Where a question may go after a verification, and where a decision sends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langgraph.graph import END

from automix_graph.errors import ConfigurationError
from automix_graph.records import FIRST, Decision, answer_stage

RETURN: Final = "return"
"""The way to the end: the question has its answer, or is given up."""


def next_position(decision: Decision, *, position: int, tiers: int) -> int | None:
    """Return the position of the tier that is asked next, or None where none is.

    Args:
        decision: about the draft of a tier.
        position: of that tier, from 0 for the cheapest.
        tiers: how many there are.

    Raises:
        ConfigurationError: there are not so many tiers.

    Example:
        >>> skip = Decision(accept=False, policy="p", reason="r", next_tier=-1)
        >>> next_position(skip, position=0, tiers=3)
        2
    """
    if decision.accept or decision.abstain:
        return None
    wanted = decision.next_tier
    if wanted is None:
        return position + 1
    if wanted >= tiers:
        raise ConfigurationError(
            f"policy {decision.policy!r} asks for the tier at position {wanted}, and the last of {tiers} is at "
            f"{tiers - 1}; name a position up to that, or -1 for the last",
            code="policy-decision",
        )
    return tiers - 1 if wanted == -1 else wanted


def review_stage(tier: str) -> str:
    """Return the node in which a person is asked about the answer of a tier.

    Example:
        >>> review_stage("small"), review_stage("middle")
        ('review', 'review_middle')
    """
    return "review" if tier == FIRST else f"review_{tier}"


def ways_retrieved(names: Sequence[str]) -> dict[str, str]:
    """Return where a question may go behind a retriever that may fail: nodes, and how the drawing calls the ways.

    Args:
        names: of all tiers.

    Example:
        >>> ways_retrieved(["small", "middle", "large"])
        {'small_answer': 'small_answer', 'large_answer': 'large_answer'}
    """
    return {stage: stage for stage in (answer_stage(names[0]), answer_stage(names[-1]))}


def ways_after(position: int, names: Sequence[str], *, review: bool = False) -> dict[str, str]:
    """Return where a question may go behind a tier that is judged: nodes, and how the drawing calls the ways.

    Args:
        position: of the tier, from 0 for the cheapest.
        names: of all tiers.
        review: whether a person may be asked first.

    Example:
        >>> ways_after(0, ["small", "large"], review=True)
        {'__end__': 'return', 'large_answer': 'large_answer', 'review': 'review'}
    """
    later = [answer_stage(name) for name in names[position + 1 :]]
    return {END: RETURN} | {stage: stage for stage in [*later, *([review_stage(names[position])] if review else [])]}
