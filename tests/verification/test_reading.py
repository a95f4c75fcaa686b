"""What the judge reads of a case: never more than its budget, never invented, and said in the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_scene import BOTH, FACT, FILLER, Make, Spy, a_case, evidence, read, state_of, within

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.prompts import Layout, shown_context
from automix_graph.records import Reading, Record
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import ShortVerdict, Verifier
from automix_graph.verification.reading import approximate_tokens


@BOTH
async def test_what_fits_is_read_as_it_is(make: Make) -> None:
    case = a_case("One.  Two\n\nthree. ", "Four.", logprobs=(-0.1,))
    shown, found = await read(make, case, 8)  # with two numbers of passages and two marks of lines
    assert shown is case
    assert found.reading is None


@BOTH
async def test_a_case_without_passages_is_read_as_it_is(make: Make) -> None:
    shown, found = await read(make, a_case(), 1)
    assert shown is not None
    assert found.reading is None


@BOTH
@pytest.mark.parametrize("layout", ["shared", "document"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_examples_question_and_answer_stay_whole(make: Make, layout: Layout, language: str) -> None:
    """The prompt is the one of the full context, with nothing but the context changed."""
    long = "very " * 40
    case = a_case(FACT, FILLER * 3, question=f"When {long}?", answer=f"In {long}1921", layout=layout, language=language)
    prompts = []
    for verifier in (lambda inner: inner, lambda inner: make(inner, 6)):
        model = ScriptedChatModel(["Correct"], label="judge")
        verifier(ShortVerdict(judge=NamedModel(label="judge", model=model))).verify(case)
        prompts.append(model.prompt_texts[0])
    assert prompts[1] == prompts[0].replace(shown_context(case.passages), FACT)
    assert case.question in prompts[1]
    assert case.answer in prompts[1]
    assert all(example.context in prompts[1] for example in case.prompts.examples)


@BOTH
def test_the_verifier_inside_shows_through(make: Make) -> None:
    judge = ShortVerdict(judge=ScriptedChatModel([], label="judge"))
    wrapped = make(judge, 5)
    assert isinstance(wrapped, Verifier)
    assert (wrapped.method, wrapped.models, wrapped.reads_logprobs) == (judge.method, judge.models, False)
    assert (make(Spy(), 5).models, make(Spy(), 5).reads_logprobs) == (None, True)


def test_two_of_them_tell_positions_of_the_whole_case() -> None:
    case = a_case(FILLER, FACT, FILLER * 9)
    spy = Spy()
    found = within(evidence(spy, 5), 40).verify(case).verification
    assert spy.texts == [FACT]
    assert found.reading == Reading(kind="evidence", passages=(1,), omitted=(0, 2), tokens=5)
    spy = Spy()
    found = evidence(within(spy, 6), 11).verify(a_case(FILLER, FILLER, FACT, "The museum is old.")).verification
    assert found.reading == Reading(kind="budget", passages=(2,), omitted=(0, 1, 3), tokens=5)
    assert spy.texts == [FACT]


@BOTH
def test_the_record_of_a_graph_says_what_was_read(make: Make) -> None:
    model = ScriptedChatModel(["Correct"], label="judge")
    state = state_of(make(ShortVerdict(judge=model), 6), "In 1921", [FACT, FILLER, FILLER], [])
    record = Record.unseal(state["record"])
    assert len(record.passages) == 3
    (verification,) = record.verifications
    assert verification.reading is not None
    assert (verification.reading.passages, verification.reading.omitted) == ((0,), (1, 2))
    assert Record.from_json(record.to_json()) == record
    assert json.loads(record.to_json())["verifications"][0]["reading"]["omitted"] == [1, 2]
    assert "Rain" not in model.prompt_texts[0]


@BOTH
@pytest.mark.parametrize("budget", [0, -1, 1.5, True, "9", None])
def test_a_budget_is_a_whole_number(make: Make, budget: object) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        make(Spy(), budget)


@BOTH
@pytest.mark.parametrize("inner", [None, "large", Spy, ScriptedChatModel([])])
def test_the_inner_verifier_is_a_verifier(make: Make, inner: Any) -> None:
    with pytest.raises(ConfigurationError, match="give a Verifier"):
        make(inner, 5)


def test_other_arguments_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="give a LangChain embedding model"):
        evidence(Spy(), 5, embeddings="local:all-minilm-l6-v2")
    with pytest.raises(ConfigurationError, match="give a function"):
        within(Spy(), 5, count_tokens=100)


TEXT = st.text(st.sampled_from("abAB19 .,。\n|…中文天地"), max_size=80)
DOORS = st.sampled_from(["verify", "averify"])


@BOTH
@given(
    texts=st.lists(TEXT, max_size=5),
    question=TEXT,
    answer=TEXT,
    budget=st.integers(1, 60),
    count=st.sampled_from([len, approximate_tokens]),
    door=DOORS,
)
def test_never_over_the_budget_never_out_of_order_never_invented(
    make: Make, texts: list[str], question: str, answer: str, budget: int, count: Callable[[str], int], door: str
) -> None:
    texts = [text.replace("…", "") for text in texts]
    case, spy = a_case(*texts, question=question, answer=answer), Spy()
    verifier = make(spy, budget, count_tokens=count)
    found = verifier.verify(case) if door == "verify" else asyncio.run(verifier.averify(case))
    reading = found.verification.reading
    if not spy.cases:
        assert found.verification.failure
        return
    (shown,) = spy.cases
    assert count(shown_context(shown.passages)) <= budget
    if reading is None:
        assert shown is case
        return
    assert reading.tokens == count(shown_context(shown.passages))
    assert sorted((*reading.passages, *reading.omitted)) == list(range(len(texts)))
    assert [passage.id for passage in shown.passages] == [f"p{position}" for position in reading.passages]
    for passage, position in zip(shown.passages, reading.passages, strict=True):
        place = 0
        for piece in passage.text.split("…"):
            place = texts[position].index(piece.strip(), place) + len(piece.strip())
