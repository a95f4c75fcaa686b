"""The verdict that a reply has: one of three, and the last line of a reason decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_replies import CORRECT, INCORRECT, UNPARSED

from automix_graph.records import Verdict
from automix_graph.verdicts import parse_verdict


@pytest.mark.parametrize("text", CORRECT)
def test_an_explicit_correct_is_read(text: str) -> None:
    assert parse_verdict(text) is Verdict.CORRECT


@pytest.mark.parametrize("text", INCORRECT)
def test_an_explicit_incorrect_is_read(text: str) -> None:
    assert parse_verdict(text) is Verdict.INCORRECT


@pytest.mark.parametrize("text", UNPARSED)
def test_what_decides_nothing_is_unparsed(text: str) -> None:
    assert parse_verdict(text) is Verdict.UNPARSED


@given(reason=st.text(max_size=200), word=st.sampled_from(["Correct", "Incorrect"]))
def test_a_last_line_decides_whatever_the_reason_says(reason: str, word: str) -> None:
    verdict = parse_verdict(f"{reason}\nVerification Decision: The AI generated answer is {word}.")
    assert verdict.value == word.upper()


@given(st.text())
def test_any_text_has_one_of_three_verdicts(text: str) -> None:
    assert parse_verdict(text) in set(Verdict)
