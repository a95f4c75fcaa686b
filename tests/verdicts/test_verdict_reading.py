"""How a verdict is read: sentence by sentence, in other languages, and from the end of a long reply."""

import pytest

from automix_graph.records import Verdict
from automix_graph.verdicts import parse_verdict
from automix_graph.verdicts.folding import fold, spoken

GERMAN = {"Die Antwort ist richtig.": Verdict.CORRECT, "Die Antwort ist falsch.": Verdict.INCORRECT}
SENTENCE = "Die Antwort ist richtig"


@pytest.mark.parametrize(
    "reply",
    [
        f"{SENTENCE}.",
        SENTENCE,
        f"**{SENTENCE}!**",
        f"({SENTENCE}.)",
        f"Urteil: {SENTENCE}.",
        f"Zum Turm: Urteil: {SENTENCE}.",
        f"Er steht dort.\n{SENTENCE}.",
        f"Er steht dort.\nEr war hoch.\n{SENTENCE}.",
    ],
)
def test_a_whole_decision_of_another_language_counts_as_the_last_line(reply: str) -> None:
    assert parse_verdict(reply, GERMAN) is Verdict.CORRECT
    assert parse_verdict(reply.replace("richtig", "falsch"), GERMAN) is Verdict.INCORRECT
    assert parse_verdict(reply) is Verdict.UNPARSED


@pytest.mark.parametrize(
    "reply", [f"{SENTENCE}.\nEr steht dort.", f": {SENTENCE}.", f"{SENTENCE} oder falsch.", f"Urteil {SENTENCE}.", "x:"]
)
def test_what_is_no_last_line_of_its_own_decides_nothing(reply: str) -> None:
    assert parse_verdict(reply, GERMAN) is Verdict.UNPARSED


def test_a_shown_decision_of_another_language_is_no_decision() -> None:
    assert parse_verdict(f"> {SENTENCE}.", GERMAN) is Verdict.UNPARSED


def test_english_comes_before_the_decisions_of_another_language() -> None:
    assert parse_verdict("Incorrect.", {"Incorrect": Verdict.CORRECT}) is Verdict.INCORRECT


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        # to reject is read more freely: also in what is shown
        ("> Incorrect\nThe context says so.", Verdict.INCORRECT),
        ("> Correct\nThe context says so.", Verdict.UNPARSED),
        # a question asks about the sentence behind it alone
        ("Is the tower old? It was built in 1874. Yes.", Verdict.CORRECT),
        ("Is the tower old? Yes.", Verdict.UNPARSED),
        # a clause concludes where the reason before it speaks for the answer and not against it
        ("The context names April, so the answer is correct.", Verdict.CORRECT),
        ("He lives there, so the answer is correct.", Verdict.UNPARSED),
        ("The context lacks the date, so the answer is correct.", Verdict.UNPARSED),
        ("No context names April, so the answer is correct.", Verdict.UNPARSED),
        ("The context names April, so the answer is correct because no other month is given.", Verdict.CORRECT),
        # what is concluded, or said of a pronoun, or yes, overrules no firm INCORRECT
        ("Incorrect. The context names April, so the answer is correct.", Verdict.INCORRECT),
        ("Incorrect. The context names April, so correct.", Verdict.INCORRECT),
        ("The answer is incorrect. Yes, the context says so.", Verdict.INCORRECT),
        ("The answer is incorrect. It is correct.", Verdict.INCORRECT),
        ("The answer is incorrect. The answer is correct.", Verdict.CORRECT),
        # a reason needs no word of support behind "because"
        ("Correct, because he lives there.", Verdict.CORRECT),
        ("Correct, he lives there.", Verdict.UNPARSED),
        # two short sentences that say both are a list of the choices: up to 15 characters
        ("Correct\nWrong in detail", Verdict.UNPARSED),
        ("Correct\nWrong in details", Verdict.INCORRECT),
        ("Correct\nIsn't correct", Verdict.INCORRECT),
    ],
)
def test_sentences_are_weighed_against_each_other(reply: str, verdict: Verdict) -> None:
    assert parse_verdict(reply) is verdict


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Correct", "Correct"),
        ("<think>no</think>Correct", "Correct"),
        ("<think>a</think>b<reasoning>c</reasoning> d", " d"),
        ("Correct<think>", ""),
        ("x" * 20_000, "x" * 20_000),
        ("x" * 20_001, ""),
        ("a\n" + "x" * 19_998, "a\n" + "x" * 19_998),
        ("a\nb\n" + "x" * 19_997, "b\n" + "x" * 19_997),
        ("ab\nc\n" + "x" * 19_997, "c\n" + "x" * 19_997),
    ],
)
def test_thoughts_and_the_beginning_of_a_long_reply_are_left_out(text: str, said: str) -> None:
    assert spoken(text) == said


@pytest.mark.parametrize(
    "text",
    ["Correct", "ＣＯＲＲＥＣＴ", "Cor\u0334rect", "Cor\u200brect", "☀ Correct", "  Correct\n\n", "<b>Correct</b>"],
)
def test_marks_width_case_and_what_is_not_seen_are_folded_away(text: str) -> None:
    assert fold(text) == "correct"
