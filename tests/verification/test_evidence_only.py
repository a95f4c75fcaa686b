"""Evidence: the sentences that bear on the case, in the order of the context."""

from __future__ import annotations

from reading_scene import FACT, FILLER, Constant, a_case, evidence, read, words

from automix_graph.prompts import shown_context
from automix_graph.records import Passage, Reading
from automix_graph.verification.reading import approximate_tokens


async def test_evidence_is_the_sentence_that_bears_on_the_case() -> None:
    case = a_case(FILLER * 2, f"{FILLER}{FACT} {FILLER}", FILLER)
    shown, found = await read(evidence, case, 5)
    assert shown is not None
    assert shown.passages == (Passage(text=FACT, id="p1", metadata={"page": 1}),)
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0, 2), tokens=5, cut=(1,))


async def test_evidence_keeps_the_order_of_the_context_and_marks_gaps() -> None:
    first = f"Mist lay on the sea. {FACT} It was red. {FILLER}In 1921 the museum was new."
    case = a_case(first, FILLER, "The museum opened its second house. It was sad.")
    shown, found = await read(evidence, case, 20)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == [
        f"{FACT} … In 1921 the museum was new.",
        "The museum opened its second house.",
    ]
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted) == ((0, 2), (1,))
    assert found.reading.tokens == words(shown_context(shown.passages)) <= 20


async def test_a_neighbour_is_read_before_a_stranger() -> None:
    case = a_case(f"{FILLER}Its doors were red. {FACT} {FILLER}")
    shown, _ = await read(evidence, case, 9)
    assert shown is not None
    assert shown.passages[0].text == f"Its doors were red. {FACT}"


async def test_a_number_of_the_answer_is_looked_up() -> None:
    """With an embedding model that tells nothing apart."""
    case = a_case(f"{FILLER}In all, 12,500 came. {FILLER}", question="How many visitors?", answer="12500")
    shown, _ = await read(evidence, case, 4, embeddings=Constant())
    assert shown is not None
    assert shown.passages[0].text == "In all, 12,500 came."


async def test_evidence_in_chinese() -> None:
    filler = "夜里山上下着雨。牛站在老树下面。没有人出去看。"
    case = a_case(
        f"{filler}博物馆于1921年开放。{filler}", filler, question="博物馆哪一年开放？", answer="1921年", language="zh"
    )
    shown, found = await read(evidence, case, 13, count_tokens=approximate_tokens)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == ["博物馆于1921年开放。"]
    assert found.reading is not None
    assert found.reading.tokens == 12


async def test_what_is_said_twice_is_read_once() -> None:
    case = a_case(f"{FACT} {FILLER}", f"{FACT} {FILLER}", "A museum is a house.")
    shown, _ = await read(evidence, case, 12)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == [FACT, "A museum is a house."]


async def test_a_best_sentence_that_is_too_long_is_cut() -> None:
    case = a_case(FILLER, "The museum opened in 1921 after many years of hard and slow work.")
    shown, found = await read(evidence, case, 6)
    assert shown is not None
    assert [passage.text for passage in shown.passages] == ["The museum opened in 1921 …"]
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0,), tokens=6, cut=(1,))


async def test_zero_vectors_are_similar_to_nothing() -> None:
    shown, found = await read(evidence, a_case(FILLER + FACT), 5, embeddings=Constant())
    assert shown is not None
    assert shown.passages[0].text == FACT
    assert found.confidence == 0.7
