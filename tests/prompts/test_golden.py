"""What models are shown, to the letter. A change of a prompt shows up here as a change of a golden file."""

from pathlib import Path

import pytest

from automix_graph.prompts import LANGUAGES, load_prompts
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


@pytest.mark.parametrize("kind", ["answer", "verify"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_rendered_prompts_are_golden(language: str, kind: str) -> None:
    prompts = load_prompts(language)
    question, texts, answer = VALUES[language]
    passages = [Passage(text=text) for text in texts]
    if kind == "answer":
        rendered = f"{prompts.system}\n\n{prompts.render_answer(question, passages)}\n"
    else:
        rendered = f"{prompts.render_verify(question, passages, answer)}\n{prompts.decision.opening}\n"
    assert rendered == (GOLDEN / f"{kind}_{language}.txt").read_text(encoding="utf-8")
