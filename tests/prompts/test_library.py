import re

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.prompts import Template, detect_language, languages, load_prompts
from automix_graph.records import Passage, Verdict
from automix_graph.verdicts import parse_verdict

FIELDS = {
    "en": ["Context", "Question", "AI Generated Answer", "Instruction", "Evaluation", "Verification Decision"],
    "zh": ["上下文", "问题", "AI 生成的答案", "指令", "评估", "验证结论"],
}


def blocks(language: str) -> list[str]:
    passages = [Passage(text="first"), Passage(text="second")]
    (turn,) = load_prompts(language, "document").verify("QQ", passages, "AA", form="reasoned")
    return turn.text.split("\n\n---\n\n")


@pytest.mark.parametrize("language", languages())
def test_the_verifier_sees_four_examples_in_the_documents_form(language: str) -> None:
    *examples, live = blocks(language)
    assert len(examples) == 4
    for example in examples:
        assert [re.split("[:：]", part)[0] for part in example.split("\n\n")] == FIELDS[language]
    verdicts = [parse_verdict(example.rsplit("\n\n", 1)[1]) for example in examples]
    assert sorted(verdicts) == [Verdict.CORRECT] * 2 + [Verdict.INCORRECT] * 2
    assert "[1] first\n[2] second" in live
    assert live.index("first") < live.index("QQ") < live.index("AA")
    # As in the AutoMix prompt, a judge that gives its reason goes on from the evaluation.
    assert live.endswith(FIELDS[language][-2] + (":" if language == "en" else "："))


@pytest.mark.parametrize("language", languages())
def test_the_opened_decision_is_how_the_examples_end(language: str) -> None:
    words = load_prompts(language).words
    text = "\n".join(blocks(language)[:-1])
    endings = [line.removeprefix(words.opening).strip().casefold() for line in re.findall(rf"{words.opening}.*", text)]
    for word in (words.correct[0], words.incorrect[0]):
        assert sum(ending.startswith(word) for ending in endings) == 2


def test_languages_have_different_fingerprints() -> None:
    assert load_prompts("en").fingerprint != load_prompts("zh").fingerprint


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'fr' is unknown; use one of en, zh"):
        load_prompts("fr")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who wrote it?", "en"),
        ("", "en"),
        ("谁写的？", "zh"),
        ("Kubernetes 是什么？", "zh"),
        ("GPT-4 和 Claude 3 的区别是什么？", "zh"),
        ("Who wrote 红楼梦 in English?", "en"),
        ("誰がこれを書きましたか", "en"),
    ],
)
def test_the_language_is_that_of_most_of_the_words(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_template_names_missing_and_unknown_placeholders() -> None:
    with pytest.raises(ConfigurationError, match=r"missing: \{question\}; unknown: \{who\}"):
        Template(name="t", text="{who}", placeholders=frozenset({"question"}))


def test_doubled_braces_are_no_placeholder() -> None:
    with pytest.raises(ConfigurationError, match=r"holds '\{\{who\}\}'; write a placeholder in single braces: \{who\}"):
        Template(name="t", text="{{who}}", placeholders=frozenset({"who"}))


def test_other_braces_are_text() -> None:
    text = '{"a": {"b": {who}}} {} {0} {{}} {{"c": 1}} { who }'
    template = Template(name="t", text=text, placeholders=frozenset({"who"}))
    assert template.render(who="1") == text.replace("{who}", "1")


def test_values_are_never_read_as_templates() -> None:
    template = Template(name="t", text="{a}-{b}", placeholders=frozenset({"a", "b"}))
    assert template.render(a="{b}", b="{a}") == "{b}-{a}"
