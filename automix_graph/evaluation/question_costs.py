"""What a question of two tiers costs in the mean, as the break-even arithmetic wants it."""

from __future__ import annotations

from automix_graph.costs import QuestionCosts
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes


def question_costs(outcomes: Outcomes) -> QuestionCosts:
    """Return the mean costs of a question, in the unit of the outcomes.

    Args:
        outcomes: of two tiers.

    Raises:
        ConfigurationError: there are more.

    Example:
        >>> from automix_graph.evaluation import Tier
        >>> small = Tier(name="small", quality=[1, 0], cost=[1, 3], confidence=[0.9, 0.3], verify_cost=0.5)
        >>> found = question_costs(Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=20))))
        >>> found.small, found.verify, found.escalate
        (2.0, 0.5, 20.0)
    """
    if len(outcomes.tiers) != 2:
        names = [tier.name for tier in outcomes.tiers]
        raise ConfigurationError(
            f"break-even costs are those of two tiers, and there are {len(names)}: {names!r}", code="table"
        )
    small, large = outcomes.tiers
    return QuestionCosts(
        small=float(small.cost.mean()),
        verify=float(small.verify_cost.mean()),
        escalate=float(large.cost.mean()),
        always_small=float(small.alone_cost.mean()),
        always_large=float(large.alone_cost.mean()),
    )
