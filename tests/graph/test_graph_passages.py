"""Passages in a graph: the same for all models, plain data, and nothing but documents."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, LARGE, QUESTION, MakeScene

from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix, create_automix
from automix_graph.testing import ScriptedChatModel


def test_the_verifier_sees_the_passages_of_the_small_model_in_the_same_order(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[LARGE])
    scene.graph.invoke(QUESTION)
    context = "[1] First passage.\n[2] Second passage."
    for model in (scene.small, scene.judge, scene.large):
        assert context in model.prompt_texts[0]
    assert DRAFT in scene.judge.prompt_texts[0]
    assert DRAFT not in scene.large.prompt_texts[0]


def test_metadata_of_passages_becomes_plain_data() -> None:
    metadata = {"score": np.float32(0.5), "when": date(2026, 1, 2), "page": 3, "author": math.nan, "most": math.inf}
    graph = build_automix(
        small=ScriptedChatModel([DRAFT]),
        large=ScriptedChatModel(["Correct"]),
        retriever=RunnableLambda(lambda _: [Document(id="a", page_content="x", metadata=metadata)]),
    ).compile(checkpointer=InMemorySaver())
    result = graph.invoke(QUESTION, {"configurable": {"thread_id": "1"}})
    plain = {"score": 0.5, "when": "2026-01-02", "page": 3, "author": None, "most": "Infinity"}
    assert result["documents"] == [Document(id="a", page_content="x", metadata=plain)]


@pytest.mark.parametrize("given", [["text"], "text", None, [Document(page_content="x"), "y"]])
def test_a_retriever_returns_documents(given: object) -> None:
    graph = create_automix(
        small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=RunnableLambda(lambda _: given)
    )
    with pytest.raises(ConfigurationError, match="list of langchain_core Documents"):
        graph.invoke(QUESTION)
