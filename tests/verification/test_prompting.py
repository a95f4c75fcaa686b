"""Prompts of the user's own: from a file, and as LangChain templates."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import Form, Layout, languages, load_prompts, load_template
from automix_graph.records import Passage
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import Case, ReasonedVerdict, ShortVerdict, chat_template

PASSAGE = 'Set <b>"A" & it\'s B</b> {question}'
CASE = Case(question="When {x}?", passages=(Passage(text=PASSAGE),), answer="In May", prompts=load_prompts("en"))
TEXT = "C: {context}\nQ: {question}\nA: {generated_answer}"
RENDERED = f"C: {PASSAGE}\nQ: When {{x}}?\nA: In May"
PAIR = PromptTemplate.from_template("E: {q} {a}")
TURNS = ChatPromptTemplate.from_messages([("human", "{q}"), ("ai", "{a}")])


def asked(prompt: Any) -> list[str]:
    judge = ScriptedChatModel(["Correct"])
    verifier = ShortVerdict(judge=judge, prompt=prompt)
    assert verifier.verify(CASE).verification.confidence == 1.0
    return [str(message.text) for message in judge.prompts[0]]


def test_a_file_with_examples_is_rendered_to_the_byte(tmp_path: Path) -> None:
    head = 'Context: A {braced} text {"json": [1]}\n\nEvaluation: ...\n\n---\n\n'.replace("{braced}", "{ braced }")
    path = tmp_path / "verify.txt"
    path.write_bytes(f"{head}{TEXT}\n{{generated_answer}}\n\nEvaluation:".encode())
    judge = ScriptedChatModel(["Verification Decision: The AI generated answer is Incorrect."])
    verifier = ReasonedVerdict(judge=judge, prompt=load_template(path))
    assert verifier.verify(CASE).verification.confidence == 0.0
    (message,) = judge.prompts[0]
    assert message.text == f"{head}{RENDERED}\nIn May\n\nEvaluation:"


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        (PromptTemplate.from_template(TEXT), [RENDERED]),
        (PromptTemplate.from_template(TEXT + " {role}").partial(role="judge"), [RENDERED + " judge"]),
        (PromptTemplate.from_template(TEXT.replace("{", "{{{").replace("}", "}}}"), template_format="mustache"), None),
        (
            FewShotPromptTemplate(examples=[{"q": "{{1}}", "a": "2"}], example_prompt=PAIR, suffix=TEXT),
            [f"E: {{1}} 2\n\n{RENDERED}"],
        ),
        (
            ChatPromptTemplate.from_messages(
                [
                    ("system", "Judge."),
                    MessagesPlaceholder("history", optional=True),
                    FewShotChatMessagePromptTemplate(examples=[{"q": "{1}", "a": "2"}], example_prompt=TURNS),
                    ("human", TEXT),
                ]
            ),
            ["Judge.", "{1}", "2", RENDERED],
        ),
    ],
    ids=["text", "partial", "mustache", "few-shot", "chat"],
)
def test_any_langchain_template_does(prompt: Any, texts: list[str] | None) -> None:
    assert asked(prompt) == (texts or [RENDERED])


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (
            PromptTemplate.from_template("{context} {question} {answer}"),
            r"missing: \{generated_answer\}; unknown: \{ans",
        ),
        (
            PromptTemplate.from_template(TEXT.replace("{", "{{").replace("}", "}}"), template_format="mustache"),
            "changes or drops the text given for context, generated_answer, question; in a mustache template",
        ),
        (
            FewShotPromptTemplate(examples=[{"q": "{1x}", "a": "2"}], example_prompt=PAIR, suffix=TEXT),
            r"prompt \(FewShotPromptTemplate\) cannot be rendered: KeyError.*braces of its examples doubled",
        ),
        (
            ChatPromptTemplate.from_messages(
                [MessagesPlaceholder("context"), ("human", "{question}{generated_answer}")]
            ),
            r"prompt \(ChatPromptTemplate\) cannot be rendered: ValueError.*must take a text",
        ),
        (TEXT, r"prompt is a str; give load_template\(path\), or .*PromptTemplate.from_template\(text\)"),
        (Path("verify.txt"), r"prompt is a \w*Path; give load_template\(path\)"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused_at_once(prompt: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ShortVerdict(judge=ScriptedChatModel([]), prompt=prompt)


@pytest.mark.parametrize("form", ["short", "opened", "reasoned"])
@pytest.mark.parametrize("layout", ["document", "shared"])
@pytest.mark.parametrize("language", languages())
def test_the_built_in_prompts_are_the_same_as_langchain_templates(language: str, layout: Layout, form: Form) -> None:
    prompts = load_prompts(language, layout)
    expected = prompts.verify(CASE.question, CASE.passages, CASE.answer, form=form)
    assert asked(chat_template(prompts, form=form)) == [turn.text for turn in expected]
