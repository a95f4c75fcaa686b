"""The order of a prompt's parts, in each language and layout."""

from __future__ import annotations

import pytest
from tower import PASSAGES, QUESTION

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.prompts import Form, Layout, PromptChoice, languages, load_prompts
from automix_graph.records import Passage
from automix_graph.testing import ScriptedChatModel, StaticRetriever


@pytest.mark.parametrize("form", ["short", "opened", "reasoned"])
@pytest.mark.parametrize("language", languages())
def test_answering_and_judging_share_all_up_to_the_question(language: str, form: Form) -> None:
    prompts = load_prompts(language, "shared")
    answer = prompts.answer(QUESTION, PASSAGES)
    verify = prompts.verify(QUESTION, PASSAGES, "In 1900.", form=form)
    assert answer[0] == verify[0]
    assert answer[0].role == "system"
    end = answer[1].text.index(QUESTION) + len(QUESTION)
    assert answer[1].text[:end] == verify[1].text[:end]
    assert PASSAGES[1].text in answer[1].text[:end]
    assert len(answer[1].text) - end < 40  # what differs is short
    assert "In 1900." in verify[1].text[end:]


@pytest.mark.parametrize("language", languages())
def test_examples_come_before_what_changes(language: str) -> None:
    prompts = load_prompts(language, "shared")
    system = prompts.answer(QUESTION, PASSAGES)[0].text
    for example in prompts.examples:
        assert all(text in system for text in example.texts().values())
    assert system == prompts.answer("Another?", PASSAGES[:1])[0].text


def test_layouts_have_different_fingerprints() -> None:
    assert load_prompts("en", "shared").fingerprint != load_prompts("en", "document").fingerprint
    with pytest.raises(ConfigurationError, match="layout 'wide' is unknown; use one of document, shared"):
        load_prompts("en", "wide")  # type: ignore[arg-type]


def test_one_passage_stands_as_it_is_and_several_are_numbered() -> None:
    prompts = load_prompts("en")
    assert "Context: It was built in 1874.\n" in prompts.answer(QUESTION, PASSAGES[1:])[1].text
    assert "Context: [1] The tower burned in 1900.\n[2] It was" in prompts.answer(QUESTION, PASSAGES)[1].text


@pytest.mark.parametrize(
    ("given", "layout", "expected"),
    [("document", None, "document"), ("document", "shared", "shared"), ("shared", "document", "document")],
)
def test_loaded_prompts_keep_their_layout_unless_another_is_named(
    given: Layout, layout: Layout | None, expected: Layout
) -> None:
    large = ScriptedChatModel(["Correct"], label="large")
    graph = create_automix(
        small=ScriptedChatModel(["In 1874."]),
        large=large,
        retriever=StaticRetriever(["Built in 1874."]),
        language=load_prompts("en", given),
        layout=layout,
    )
    graph.invoke({"question": QUESTION})
    asked = load_prompts("en", expected).verify(QUESTION, [Passage(text="Built in 1874.")], "In 1874.")
    assert [message.text for message in large.prompts[0]] == [turn.text for turn in asked]


def test_prompts_that_were_changed_serve_every_question() -> None:
    prompts = load_prompts("zh", "document")
    assert PromptChoice.of(prompts).of_question("Who?") is prompts
