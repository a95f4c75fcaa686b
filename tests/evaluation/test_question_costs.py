import pytest
from hypothesis import given
from tables_of_outcomes import three_tiers

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Outcomes, Tier
from automix_graph.evaluation.question_costs import question_costs


def test_costs_are_means_of_each_part() -> None:
    small = Tier(
        name="a", quality=[1, 0], cost=[1, 3], confidence=[0.9, 0.1], verify_cost=[0.5, 0.0], alone_cost=[2, 6]
    )
    large = Tier(name="b", quality=[1, 1], cost=[10, 30], alone_cost=[12, 34])
    found = question_costs(Outcomes(tiers=(small, large)))
    assert (found.small, found.verify, found.escalate) == (2.0, 0.25, 20.0)
    assert (found.always_small, found.always_large) == (4.0, 23.0)


@given(three_tiers())
def test_more_than_two_tiers_are_refused(outcomes: Outcomes) -> None:
    with pytest.raises(ConfigurationError, match="those of two tiers, and there are 3"):
        question_costs(outcomes)
