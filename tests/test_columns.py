from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from automix_graph.columns import fractions, group_codes, numbers, outcomes, same_length


@pytest.mark.parametrize("values", [[1, 0.5], np.array([1.0, 0.5], dtype=np.float32), [Fraction(1), 0.5], (True, 0.5)])
def test_numbers_of_any_kind_become_one_column(values: Any) -> None:
    column = numbers("x", values)
    assert column.dtype == np.float64
    assert column.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], "x is empty"),
        ([[0.1]], r"shape \(1, 1\)"),
        (0.1, r"shape \(\)"),
        ([0.1, None], "None at row 1"),
        ([0.1, float("nan"), float("nan")], r"nan at row 1 \(2 of 3"),
        (["0.1"], "'0.1' at row 0"),
        ([0.1, "0.2", None], "row 1 "),
        ([1j], "1j at row 0"),
    ],
)
def test_what_is_no_column_is_refused(values: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        numbers("x", values)


@pytest.mark.parametrize("value", [-0.001, 1.001, float("inf"), -float("inf")])
def test_a_fraction_lies_between_0_and_1(value: float) -> None:
    assert fractions("x", [0, 1]).tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match=r"row 1 .*\[0, 1\]"):
        fractions("x", [0.5, value])


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0], np.array([True, False], dtype=object)])
def test_an_outcome_is_true_or_false(values: Any) -> None:
    assert outcomes("correct", values).tolist() == [True, False]


@pytest.mark.parametrize("value", [0.5, 2, -1, None, "yes"])
def test_other_outcomes_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"correct holds .* at row \d"):
        outcomes("correct", [True, value])


def test_columns_have_the_same_rows() -> None:
    assert same_length({"a": [1, 2], "b": np.zeros((2, 3))}) == 2
    with pytest.raises(ValueError, match="a has 2, b has 1"):
        same_length({"a": [1, 2], "b": [1]})


@pytest.mark.parametrize("groups", [["b", "b", "a", "b"], np.array([7, 7, 3, 7]), [("q", 1), ("q", 1), 2, ("q", 1)]])
def test_groups_are_numbered_in_order(groups: Any) -> None:
    assert group_codes(groups).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_every_row_has_a_group(missing: Any) -> None:
    with pytest.raises(ValueError, match="at row 1"):
        group_codes(["a", missing])
