import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.prompts import load_prompts
from automix_graph.verification.content import content_positions


def content(tokens: list[str], question: str, language: str = "en") -> list[str]:
    form = load_prompts(language).words.form.split()
    return [tokens[position] for position in content_positions(tokens, question, form)]


@pytest.mark.parametrize(
    ("tokens", "question", "expected"),
    [
        (["18", "74"], "When was it built?", ["18", "74"]),
        (["18", "74", "."], "When was it built?", ["18", "74"]),
        (["The", " tower", " was", " built", " in", " ", "18", "74", "."], "When was the tower built?", ["18", "74"]),
        (
            ["The", " builder", " was", " Mara", " Fe", "ld"],
            "Who built the tower? The builder?",
            [" Mara", " Fe", "ld"],
        ),
        (["According", " to", " the", " context", ",", " oil", "."], "What burned?", [" oil"]),
        (["“", "Oil", "”"], "What burned?", ["Oil"]),
        (["3", ".", "14"], "What is pi?", ["3", ".", "14"]),
    ],
)
def test_form_is_told_from_content(tokens: list[str], question: str, expected: list[str]) -> None:
    assert content(tokens, question) == expected


def test_form_is_told_from_content_in_chinese() -> None:
    tokens = ["灯塔", "建", "于", "187", "4", "年", "。"]
    assert content(tokens, "灯塔是哪一年建成的？", "zh") == ["187", "4"]
    assert content(["玛拉", "·", "费尔德"], "灯塔是谁建的？", "zh") == ["玛拉", "费尔德"]


def test_an_answer_may_choose_among_words_of_the_question() -> None:
    assert content(["Oil", "."], "Did it burn oil or gas?") == ["Oil"]


def test_an_answer_without_a_word_has_tokens_all_the_same() -> None:
    assert content(["?", "!"], "What?") == ["?", "!"]


def test_a_year_is_no_form_of_another() -> None:
    assert content(["18890"], "What came after 1889?") == ["18890"]


def test_parts_of_a_character_are_content() -> None:
    assert content(["\ufffd", "\ufffd"], "谁？", "zh") == ["\ufffd", "\ufffd"]


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=20), st.text(max_size=40))
def test_there_is_always_content_and_it_is_in_order(tokens: list[str], question: str) -> None:
    found = content_positions(tokens, question, ["the"])
    assert found
    assert found == sorted(set(found))
    assert set(found) <= set(range(len(tokens)))
