"""Where a decision sends a question, without a graph."""

import pytest
from langgraph.graph import END

from automix_graph.errors import ConfigurationError
from automix_graph.graph.routing import next_position, review_stage, ways_after, ways_retrieved
from automix_graph.records import Decision

KEEP = Decision(accept=True, policy="p", reason="r")
GIVE_UP = Decision(accept=False, policy="p", reason="r", abstain=True)
NAMES = ["small", "middle", "big", "large"]


def escalate(next_tier: int | None = None) -> Decision:
    return Decision(accept=False, policy="p", reason="r", next_tier=next_tier)


@pytest.mark.parametrize(
    ("decision", "position", "expected"),
    [
        (KEEP, 0, None),
        (GIVE_UP, 1, None),
        (escalate(), 0, 1),
        (escalate(), 2, 3),
        (escalate(2), 0, 2),
        (escalate(3), 0, 3),
        (escalate(-1), 0, 3),
        (escalate(-1), 2, 3),
    ],
)
def test_a_decision_names_the_next_tier(decision: Decision, position: int, expected: int | None) -> None:
    assert next_position(decision, position=position, tiers=4) == expected


def test_a_tier_that_is_not_there_is_told() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'p' asks for .* position 4, and the last of 4 is at 3; .*-1"
    ) as told:
        next_position(escalate(4), position=0, tiers=4)
    assert told.value.code == "policy-decision"


def test_ways_lead_to_the_later_tiers_and_the_end() -> None:
    assert ways_after(1, NAMES) == {END: "return", "big_answer": "big_answer", "large_answer": "large_answer"}
    assert ways_after(2, NAMES) == {END: "return", "large_answer": "large_answer"}


@pytest.mark.parametrize(("position", "review"), [(0, "review"), (1, "review_middle")])
def test_a_person_may_be_asked_first(position: int, review: str) -> None:
    assert review_stage(NAMES[position]) == review
    assert ways_after(position, NAMES, review=True) == {**ways_after(position, NAMES), review: review}


def test_without_passages_the_last_tier_answers() -> None:
    assert list(ways_retrieved(NAMES)) == ["small_answer", "large_answer"]
    assert list(ways_retrieved(["large"])) == ["large_answer"]
