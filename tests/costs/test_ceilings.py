"""The numbers of limits, and the worst case of a prompt."""

import math
from typing import Any

import pytest

from automix_graph.costs import Limits
from automix_graph.costs.limits import worst_tokens
from automix_graph.errors import ConfigurationError

AMOUNT = "use a number above 0, or None"
COUNT = "use a whole number above 0, or None"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        *(("max_cost", value, AMOUNT) for value in (0, -0.5, math.inf, math.nan, True, "1")),
        *(("max_seconds", value, AMOUNT) for value in (0.0, -1, math.inf, False, "1")),
        *(("max_node_seconds", value, AMOUNT) for value in (0.0, -1, math.inf, True, "1")),
        *(("max_calls", value, COUNT) for value in (0, -1, 1.0, True, "1")),
        *(("assumed_output_tokens", value, "use a whole number above 0") for value in (0, -1, 2.0, True, "1", None)),
        *(("on_reached", value, "use 'degrade' or 'raise'") for value in ("stop", None)),
    ],
)
def test_a_limit_that_is_none_is_refused(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        Limits(**{name: value})
    assert str(told.value) == f"{name} is {value!r}; {allowed}"


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_cost": 1e-9, "max_calls": 1, "max_seconds": 1e-3, "max_node_seconds": 1e-3, "assumed_output_tokens": 1},
        {"max_cost": 1, "max_seconds": 1, "max_node_seconds": 1, "on_reached": "raise"},
        {"max_cost": 0.5, "max_calls": 2},
    ],
)
def test_numbers_above_zero_are_limits(limits: dict[str, Any]) -> None:
    found = Limits(**limits)
    for name, value in limits.items():
        assert getattr(found, name) == value


def test_a_wrong_limit_behind_one_that_is_not_given_is_found() -> None:
    for name in ("max_calls", "max_seconds", "max_node_seconds", "assumed_output_tokens"):
        with pytest.raises(ConfigurationError, match=f"{name} is -1"):
            Limits(**{name: -1})


@pytest.mark.parametrize(
    ("texts", "tokens"),
    [
        ([], 0),
        ([""], 8),
        (["a"], 1 + 8),
        (["ab"], 1 + 8),
        (["abc"], 2 + 8),
        (["é"], 2 + 8),
        (["何时"], 4 + 8),
        (["abc何"], 2 + 2 + 8),
        (["abc", "何"], 2 + 8 + 2 + 8),
        (["何", "abc", "a"], 2 + 8 + 2 + 8 + 1 + 8),
    ],
)
def test_the_worst_case_counts_two_ascii_characters_a_token_and_two_tokens_for_others(
    texts: list[str], tokens: int
) -> None:
    assert worst_tokens(texts) == tokens
