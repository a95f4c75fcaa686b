import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.records import is_redacted, redacted_text


@given(st.text())
def test_what_was_redacted_is_known_again(text: str) -> None:
    assert is_redacted(redacted_text(text))


def test_the_length_is_all_that_is_kept() -> None:
    assert redacted_text("Ünïted\n") == "[redacted, 7 characters]"
    assert redacted_text("abcdefg") == redacted_text("Ünïted\n")


@pytest.mark.parametrize(
    "text",
    ["", "Paris", "[redacted, five characters]", "[redacted, ٥ characters]", "[redacted, 5 characters] ", "[redacted]"],
)
def test_other_texts_are_not_taken_for_redacted_ones(text: str) -> None:
    assert not is_redacted(text)
