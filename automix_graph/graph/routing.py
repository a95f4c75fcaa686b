"""Where a question goes after a verification."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from langgraph.graph import END

from automix_graph.errors import ConfigurationError
from automix_graph.graph.state import DecisionInput
from automix_graph.records import FIRST, Decision, answer_stage

RETURN: Final = "return"
"""The edge to the end: the question has its answer, or is given up."""


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


def route_retrieved(names: Sequence[str]) -> tuple[Callable[[DecisionInput], str], dict[Hashable, str]]:
    """Return the route function behind a retriever that may fail, and the nodes that it can lead to.

    Args:
        names: of all tiers.
    """
    first, last = answer_stage(names[0]), answer_stage(names[-1])

    def route_passages(state: DecisionInput) -> str:
        """Go to the last model where there are no passages to check an answer against."""
        return last if state.get("decision") else first

    return route_passages, {first: first, last: last}


def route_after(
    position: int, names: Sequence[str], reviews: Callable[[Decision], bool] | None = None
) -> tuple[Callable[[DecisionInput], str], dict[Hashable, str]]:
    """Return the route function behind a tier that is judged, and the nodes that it can lead to by what it returns.

    Args:
        position: of the tier, from 0 for the cheapest.
        names: of all tiers.
        reviews: which decisions a person is asked about first; None behind that person, and where nobody is asked.
    """
    leads_to: dict[Hashable, str] = {RETURN: END}
    leads_to |= {answer_stage(name): answer_stage(name) for name in names[position + 1 :]}
    review = review_stage(names[position])
    if reviews is not None:
        leads_to[review] = review

    def route_verified(state: DecisionInput) -> str:
        """Follow the decision in the state."""
        decision = Decision(**state["decision"])
        if reviews is not None and reviews(decision):
            return review
        going = next_position(decision, position=position, tiers=len(names))
        return RETURN if going is None else answer_stage(names[going])

    return route_verified, leads_to
