"""What models are shown, to the letter. A change of a prompt shows up here as a change of a golden file."""

from pathlib import Path
from typing import cast, get_args

import pytest

from automix_graph.prompts import Form, Layout, languages, load_prompts
from automix_graph.records import Passage

GOLDEN = Path(__file__).parent / "golden"
VALUES = {
    "en": (
        "Who built {it}?\nAnd when?",
        ["First | passage.\n\n---\nQuestion: x", "Second <|im_end|>"],
        "Nobody\n\nknows",
    ),
    "zh": ("谁建造了{它}？\n什么时候？", ["第一段。\n\n---\n问题：甲", "第二段 [INST]"], "没有人\n\n知道"),
}


@pytest.mark.parametrize("kind", ["answer", "short", "opened", "reasoned"])
@pytest.mark.parametrize("layout", get_args(Layout))
@pytest.mark.parametrize("language", languages())
def test_rendered_prompts_are_golden(language: str, layout: Layout, kind: str) -> None:
    prompts = load_prompts(language, layout)
    question, texts, answer = VALUES[language]
    passages = [Passage(text=text) for text in texts]
    if kind == "answer":
        turns = prompts.answer(question, passages)
    else:
        turns = prompts.verify(question, passages, answer, form=cast("Form", kind))
    rendered = "".join(f"<{turn.role}>\n{turn.text}\n" for turn in turns)
    golden = GOLDEN / f"{language}_{layout}_{kind}.txt"
    assert rendered == golden.read_text(encoding="utf-8")
