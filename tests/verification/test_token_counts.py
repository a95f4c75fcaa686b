"""Tokens of what the judge reads: who counts them, how often, and an estimate of them."""

from __future__ import annotations

import threading

import pytest
from reading_scene import BOTH, FACT, FILLER, Make, Spy, a_case, evidence, read, within, words

from automix_graph.testing import FunctionChatModel, ScriptedChatModel
from automix_graph.verification import ShortVerdict
from automix_graph.verification.reading import approximate_tokens


@BOTH
async def test_a_counter_that_fails_is_a_failed_verification(make: Make) -> None:
    def broken(text: str) -> int:
        raise OSError(text)

    shown, found = await read(make, a_case(FILLER), 5, count_tokens=broken)
    assert shown is None
    assert found.failure == "choosing what the judge reads failed with OSError"


@BOTH
async def test_counting_does_not_block_the_event_loop(make: Make) -> None:
    threads = set()

    def counter(text: str) -> int:
        threads.add(threading.current_thread())
        return words(text)

    await make(Spy(), 5, count_tokens=counter).averify(a_case(FILLER, FACT))
    assert threads
    assert threading.current_thread() not in threads


def test_tokens_are_counted_by_the_model_if_it_counts_exactly() -> None:
    class Counting(ScriptedChatModel):
        counts_exactly: bool = True

        def get_num_tokens(self, text: str) -> int:
            return 2 * words(text)

    for model, tokens in ((Counting(["Correct"]), 10), (ScriptedChatModel(["Correct"]), approximate_tokens(FACT))):
        verifier = within(ShortVerdict(judge=model), 25, count_tokens=None)
        reading = verifier.verify(a_case(FACT, FILLER)).verification.reading
        assert reading is not None
        assert (reading.passages, reading.tokens) == ((0,), tokens)


def test_many_sentences_take_few_counts() -> None:
    counted = 0

    def counter(text: str) -> int:
        nonlocal counted
        counted += 1
        return words(text)

    model = FunctionChatModel(lambda _: "Correct")
    evidence(ShortVerdict(judge=model), 100, count_tokens=counter).verify(a_case(*[FILLER * 20] * 10))
    assert counted < 30


@pytest.mark.parametrize("text", ["", "a", "中文", "Hello, world!", "| 1 | 2 |", "\n\n", "3.14159"])
def test_the_estimate_grows_with_the_text(text: str) -> None:
    assert approximate_tokens(text) <= approximate_tokens(text + "x") <= approximate_tokens(text + "xyz中")
    assert approximate_tokens("中文字") == 3
    assert approximate_tokens("") == 0
