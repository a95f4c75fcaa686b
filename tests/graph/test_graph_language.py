"""The language of a graph's prompts: that of the question, or a fixed one."""

from __future__ import annotations

import pytest
from scene import LARGE, QUESTION, MakeScene


@pytest.mark.parametrize(("question", "label"), [("谁写的？", "上下文："), ("Who wrote it?", "Context:")])
def test_prompts_are_in_the_language_of_the_question(make_scene: MakeScene, question: str, label: str) -> None:
    scene = make_scene(judge=["错误"], large=[LARGE])
    scene.graph.invoke({"question": question})
    for model in (scene.small, scene.judge, scene.large):
        assert label in model.prompt_texts[0]


def test_the_language_can_be_fixed(make_scene: MakeScene) -> None:
    scene = make_scene(language="zh")
    scene.graph.invoke(QUESTION)
    assert "上下文：" in scene.small.prompt_texts[0]
