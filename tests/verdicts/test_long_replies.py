"""Replies of thousands of words: what of them decides, and the time that they take."""

from __future__ import annotations

import time

import pytest

from automix_graph.records import Verdict
from automix_graph.verdicts import parse_verdict


@pytest.mark.parametrize("word", ["Incorrect.", "not correct.", "不正确。"])
def test_the_cut_of_a_long_reply_makes_no_correct(word: str) -> None:
    for behind in range(19_980, 20_005):
        assert parse_verdict(f"{word}\n{'x ' * (behind // 2)}{'x' * (behind % 2)}") is not Verdict.CORRECT


def test_the_end_of_a_long_reply_decides() -> None:
    assert parse_verdict("Incorrect.\n" + "The context says so.\n" * 2_000 + "Verdict: Correct") is Verdict.CORRECT


@pytest.mark.parametrize(
    "text",
    [
        "correct " * 200_000,
        "the answer is " * 100_000,
        "答案是" * 100_000,
        "x" * 2_000_000,
        *(
            "\n" + piece * (19_900 // len(piece))
            for piece in ("correct ", "the answer '", "答案是", ", ", '" ', "<a", "so ")
        ),
        "\n<a" + "b" * 19_900,
        "<think>" * 100_000,
    ],
)
def test_work_is_bounded_for_long_replies(text: str) -> None:
    start = time.process_time()
    parse_verdict(text)
    assert time.process_time() - start < 2
