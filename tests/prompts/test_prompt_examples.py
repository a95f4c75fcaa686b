"""Worked examples and templates of the user's own, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tower import PASSAGES, QUESTION

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.prompts import Example, load_examples, load_prompts, load_template
from automix_graph.testing import ScriptedChatModel, StaticRetriever

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
