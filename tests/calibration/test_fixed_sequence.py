import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.calibration.fixed_sequence import fixed_sequence


@pytest.mark.parametrize(
    ("p_values", "last"),
    [
        ([0.2], None),
        ([0.1], 0),
        ([0.01, 0.09, 0.1], 2),
        ([0.01, 0.11, 0.0, 0.0], 0),
        ([0.11, 0.0, 0.0], None),
        ([1.0, 1.0], None),
    ],
)
def test_it_stops_at_the_first_failure(p_values: list[float], last: int | None) -> None:
    assert fixed_sequence(p_values, delta=0.1) == last


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.001, 0.999))
def test_all_up_to_the_last_have_passed_and_the_next_has_not(p_values: list[float], delta: float) -> None:
    last = fixed_sequence(p_values, delta=delta)
    passed = 0 if last is None else last + 1
    assert all(p <= delta for p in p_values[:passed])
    assert passed == len(p_values) or p_values[passed] > delta


def test_refusals() -> None:
    with pytest.raises(ValueError, match="p_values is empty"):
        fixed_sequence([], delta=0.1)
    with pytest.raises(ValueError, match="p_values holds nan"):
        fixed_sequence([0.1, float("nan")], delta=0.1)
    with pytest.raises(ValueError, match="delta is 2"):
        fixed_sequence([0.1], delta=2)
