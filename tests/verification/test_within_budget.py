"""Passages within a budget: the tail is left out, and the first one is cut if it is too long."""

from __future__ import annotations

import pytest
from reading_scene import a_case, read, within, words

from automix_graph.prompts import shown_context
from automix_graph.records import Reading


@pytest.mark.parametrize(("budget", "kept"), [(9, 3), (8, 2), (6, 2), (5, 1), (2, 1)])
async def test_passages_go_from_the_tail(budget: int, kept: int) -> None:
    case = a_case("a b", "c d", "e f", "g h")
    shown, found = await read(within, case, budget)
    assert shown is not None
    assert shown.passages == case.passages[:kept]
    assert found.reading == Reading(
        kind="budget",
        passages=tuple(range(kept)),
        omitted=tuple(range(kept, 4)),
        tokens=words(shown_context(shown.passages)),
    )


@pytest.mark.parametrize(
    ("text", "budget", "shown"),
    [
        ("It rained. It snowed. It froze hard.", 6, "It rained. It snowed. …"),
        ("It rained on 1,921 very old houses. It froze.", 5, "It rained on 1,921 …"),
        ("他来了。她走了。没有人知道。", 10, "他来了。她走了。…"),
        ("没有人知道他们去了哪里。", 7, "没有人知道…"),
    ],
)
async def test_a_first_passage_that_is_too_long_is_cut(text: str, budget: int, shown: str) -> None:
    count = len if "。" in text else words
    case, found = await read(within, a_case(text, "Second."), budget, count_tokens=count)
    assert case is not None
    (passage,) = case.passages
    assert (passage.text.replace(" …", "…"), passage.id) == (shown.replace(" …", "…"), "p0")
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted) == ((0,), (1,))


async def test_a_number_is_not_cut() -> None:
    case, _ = await read(within, a_case("It cost 1,921,000 dollars in all"), 14, count_tokens=len)
    assert case is not None
    assert case.passages[0].text == "It cost …"
