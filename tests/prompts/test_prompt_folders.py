"""Folders of prompts: those of the package, one of the user's own, and what is wrong with one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.prompts import Layout, languages, load_prompts
from automix_graph.prompts import library as prompts_library
from automix_graph.records import Verdict
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import TokenProbability

LAYOUTS = ("document", "shared")
BUILT_IN = Path(prompts_library.__file__).parent


def test_languages_have_the_same_files_and_the_same_examples() -> None:
    files = [sorted(p.relative_to(BUILT_IN / name) for p in (BUILT_IN / name).rglob("*.*")) for name in languages()]
    assert languages() == ("en", "zh")
    assert files[0] == files[1]
    examples = [load_prompts(name).examples for name in languages()]
    assert [example.correct for example in examples[0]] == [example.correct for example in examples[1]]
    for layout in ("document", "shared"):
        templates = [load_prompts(name, layout).templates for name in languages()]
        assert [(t.name, t.placeholders) for t in templates[0]] == [(t.name, t.placeholders) for t in templates[1]]


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
