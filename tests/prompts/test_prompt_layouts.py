"""The order of a prompt's parts, and prompts of the user's own."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.prompts import (
    Example,
    Form,
    Layout,
    PromptChoice,
    languages,
    load_examples,
    load_prompts,
    load_template,
)
from automix_graph.prompts import library as prompts_library
from automix_graph.records import Passage, Verdict
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import TokenProbability

PASSAGES = [Passage(text="The tower burned in 1900."), Passage(text="It was built in 1874.")]
QUESTION = "When was it built?"
LAYOUTS = ("document", "shared")
BUILT_IN = Path(prompts_library.__file__).parent


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


def test_languages_have_the_same_files_and_the_same_examples() -> None:
    files = [sorted(p.relative_to(BUILT_IN / name) for p in (BUILT_IN / name).rglob("*.*")) for name in languages()]
    assert languages() == ("en", "zh")
    assert files[0] == files[1]
    examples = [load_prompts(name).examples for name in languages()]
    assert [example.correct for example in examples[0]] == [example.correct for example in examples[1]]
    for layout in ("document", "shared"):
        templates = [load_prompts(name, layout).templates for name in languages()]
        assert [(t.name, t.placeholders) for t in templates[0]] == [(t.name, t.placeholders) for t in templates[1]]


def test_layouts_have_different_fingerprints() -> None:
    assert load_prompts("en", "shared").fingerprint != load_prompts("en", "document").fingerprint
    with pytest.raises(ConfigurationError, match="layout 'wide' is unknown; use one of document, shared"):
        load_prompts("en", "wide")  # type: ignore[arg-type]


def test_one_passage_stands_as_it_is_and_several_are_numbered() -> None:
    prompts = load_prompts("en")
    assert "Context: It was built in 1874.\n" in prompts.answer(QUESTION, PASSAGES[1:])[1].text
    assert "Context: [1] The tower burned in 1900.\n[2] It was" in prompts.answer(QUESTION, PASSAGES)[1].text


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A language of its own, by nothing but a folder of templates."""
    folder = tmp_path / "tlh"
    shutil.copytree(BUILT_IN / "en", folder)
    words = {
        "opening": "AI jang",
        "correct": ["lugh"],
        "incorrect": ["muj"],
        "decisions": {"correct": "AI jang lugh.", "incorrect": "AI jang muj."},
        "endings": {layout: {"opened": "wuq:", "reasoned": "qel:", "short": "wuq (lugh, muj):"} for layout in LAYOUTS},
    }
    (folder / "words.json").write_text(json.dumps(words), encoding="utf-8")
    (folder / "document" / "answer.txt").write_text("De': {context}\n\nyu': {question}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("layout", ["document", "shared"])
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("AI jang lugh.", Verdict.CORRECT),
        ("lugh", Verdict.CORRECT),
        ("wuq: AI jang muj.", Verdict.INCORRECT),
        ("lugh muj", Verdict.UNPARSED),
        ("The AI generated answer is Correct.", Verdict.CORRECT),
        ("AI 生成的答案是错误的。", Verdict.INCORRECT),
    ],
)
def test_a_third_language_needs_only_a_folder(made_up: Path, layout: Layout, reply: str, verdict: Verdict) -> None:
    large = ScriptedChatModel([reply, "1874"], label="large")
    small = ScriptedChatModel(["In 1874."], label="small")
    graph = create_automix(
        small=small,
        large=large,
        retriever=StaticRetriever(["Built in 1874."]),
        language=made_up,
        layout=layout,
    )
    result = graph.invoke({"question": "ghorgh?"})
    assert result["verdict"] == verdict.value
    assert result["route"] == ("small" if verdict is Verdict.CORRECT else "large")
    assert small.prompt_texts[0].endswith("De': Built in 1874.\n\nyu': ghorgh?")
    assert large.prompt_texts[0].endswith("wuq (lugh, muj):")


def test_the_deciding_words_of_a_third_language_have_probabilities(made_up: Path) -> None:
    reply = ScriptedReply(text="lugh", token_probabilities=((" lugh", 0.6), (" mu", 0.2)))
    graph = create_automix(
        small=ScriptedChatModel(["In 1874."]),
        large=(large := ScriptedChatModel([reply])),
        retriever=StaticRetriever(["Built in 1874."]),
        verifier=TokenProbability(judge=large),
        language=made_up,
    )
    assert graph.invoke({"question": "ghorgh?"})["confidence"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("words.json", "{}", r"tlh/words.json cannot be used.*opening"),
        ("shared/case.txt", "{context} {question} {answer}", r"shared/case.txt.*unknown: \{answer\}"),
        ("shared/case.txt", "{context}", r"shared/case.txt.*missing: \{question\}"),
        ("examples.json", "[]", "tlh/examples.json holds no worked example"),
        ("examples.json", "{", "line 1 of tlh/examples.json is no JSON.*; give a JSON list, or JSONL"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(made_up: Path, file: str, text: str, complaint: str) -> None:
    (made_up / file).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=complaint):
        load_prompts(made_up)


def test_a_missing_file_is_named(made_up: Path) -> None:
    (made_up / "document" / "verify.txt").unlink()
    with pytest.raises(ConfigurationError, match=r"the file 'verify.txt' of a folder with prompts, laid out like"):
        load_prompts(made_up)


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"language 'fr' is unknown; use one of en, zh"):
        create_automix(
            small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=StaticRetriever([]), language="fr"
        )


EXAMPLE = {
    "context": "Ada wrote notes.\n---",
    "question": "Who {wrote}?",
    "answer": "Ada.",
    "generated_answer": "Bob",
    "evaluation": "It was Ada.",
    "correct": False,
}


@pytest.mark.parametrize("lines", [False, True])
def test_examples_come_from_a_file(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / "examples"
    path.write_text("\n".join([json.dumps(EXAMPLE)] * 2) if lines else json.dumps([EXAMPLE] * 2), encoding="utf-8")
    examples = load_examples(path)
    assert examples == (Example(**EXAMPLE),) * 2  # type: ignore[arg-type]
    prompts = load_prompts("en").with_examples(examples)
    system = prompts.verify(QUESTION, PASSAGES, "In 1900.")[0].text
    assert system.count("Context: Ada wrote notes.\n| ---\n\nQuestion: Who {wrote}?") == 2
    assert "lighthouse" not in system
    assert prompts.fingerprint != load_prompts("en").fingerprint
    large = ScriptedChatModel(["Correct"])
    graph = create_automix(
        small=ScriptedChatModel(["In 1874."]), large=large, retriever=StaticRetriever(["x"]), language=prompts
    )
    graph.invoke({"question": QUESTION})
    assert "Ada wrote notes." in large.prompt_texts[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"reason": "x"}, "reason: Extra inputs"),
        ({"answer": ""}, "answer: Value error, it is empty"),
        (None, "context: Field"),
    ],
)
def test_a_bad_example_is_named(tmp_path: Path, change: dict[str, str] | None, complaint: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(json.dumps({} if change is None else EXAMPLE | change), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=rf"example 1 in examples.jsonl has not exactly context, question, .*{complaint}"
    ):
        load_examples(path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the file of worked examples cannot be read"):
        load_examples(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="the template cannot be read"):
        load_template(tmp_path / "none.txt")
    with pytest.raises(ConfigurationError, match="at least one worked example"):
        load_prompts("en").with_examples([])


@pytest.mark.parametrize("given", [json.dumps(EXAMPLE) + "\n\n  \n", json.dumps([EXAMPLE])])
def test_files_may_have_a_byte_order_mark_blank_lines_and_windows_line_ends(tmp_path: Path, given: str) -> None:
    path = tmp_path / "examples"
    path.write_bytes(b"\xef\xbb\xbf" + given.replace("\n", "\r\n").encode())
    assert load_examples(path) == (Example(**EXAMPLE),)  # type: ignore[arg-type]
    path.write_bytes(b"\xef\xbb\xbf{context}\r\n{question}\r\n{generated_answer}\r\n")
    assert load_template(path).text == "{context}\n{question}\n{generated_answer}"


def test_a_text_in_jsonl_may_hold_other_line_separators(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(json.dumps(EXAMPLE | {"context": "a\u2028b\x85c"}, ensure_ascii=False), encoding="utf-8")
    assert load_examples(path)[0].context == "a\u2028b\x85c"


def test_the_bad_example_and_the_bad_line_are_named(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(json.dumps(EXAMPLE) + "\n" + json.dumps(EXAMPLE | {"correct": "maybe"}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"worked example 2 in examples.jsonl.*correct"):
        load_examples(path)
    path.write_text(json.dumps(EXAMPLE) + "\n{oops", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"line 2 of examples.jsonl is no JSON"):
        load_examples(path)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "verify.txt"
    path.write_bytes("{context}".encode("utf-16"))
    with pytest.raises(ConfigurationError, match=r"the template cannot be read: 'verify.txt' is not UTF-8"):
        load_template(path)


@pytest.mark.parametrize("examples", [[EXAMPLE], "examples.json"])
def test_examples_are_examples(examples: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a worked example is a (dict|str); give .* or load_examples\(path\)"):
        load_prompts("en").with_examples(examples)


def test_a_folder_from_windows_reads_the_same(made_up: Path) -> None:
    before = load_prompts(made_up).fingerprint
    for file in (path for path in made_up.rglob("*.*") if path.is_file()):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_prompts(made_up).fingerprint == before


def test_deciding_words_may_be_capitalised(made_up: Path) -> None:
    words = json.loads((made_up / "words.json").read_text(encoding="utf-8"))
    (made_up / "words.json").write_text(json.dumps(words | {"correct": ["Lugh"], "incorrect": ["MUJ"]}))
    assert load_prompts(made_up).words == load_prompts(made_up).words.model_copy(
        update={"correct": ("lugh",), "incorrect": ("muj",)}
    )


def test_what_is_no_folder_is_refused(made_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (made_up / "words.json", made_up / "none"):
        with pytest.raises(ConfigurationError, match=r"which is no folder; give a folder with prompts, laid out like"):
            load_prompts(path)
    with pytest.raises(ConfigurationError, match=r"unknown; use one of en, zh, or a folder of prompts as a pathlib"):
        load_prompts(str(made_up))
    monkeypatch.chdir(made_up)
    assert load_prompts(Path()).language == "tlh"


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
