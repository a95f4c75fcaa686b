"""Passages in a graph: the same for all models, plain data, and nothing but documents."""

from __future__ import annotations

import functools
import json
import math
from datetime import date
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from scene import DRAFT, LARGE, QUESTION, MakeScene

from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix, create_automix, passages
from automix_graph.graph.passages import passages_of
from automix_graph.retrieval import entries
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


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else "bottom"


ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "whole numbers of 64 bits": ({"n": [2**63 - 1, -(2**63)]}, {"n": [2**63 - 1, -(2**63)]}),
    "longer ones": (
        {"n": 2**63, "m": [-(2**63) - 1], "u": np.uint64(2**64 - 1)},
        {"n": "9223372036854775808", "m": ["-9223372036854775809"], "u": "18446744073709551615"},
    ),
    "a lone surrogate": ({"source": "caf\udce9.txt"}, {"source": "caf\ufffd.txt"}),
    "one in a key": ({"caf\udce9": {"\ud800": 1}}, {"caf\ufffd": {"\ufffd": 1}}),
    "one far inside": ({"a": ("b", ["\ud800x"])}, {"a": ["b", ["\ufffdx"]]}),
    "one in what is no JSON": ({"a": Path("caf\udce9")}, {"a": "caf\ufffd"}),
    "the deepest": ({"a": nested(63)}, {"a": nested(63)}),
    "deeper": ({"a": nested(300)}, {"a": functools.reduce(lambda inside, _: [inside], range(63), "…")}),
    "numbers and texts with a class": (
        {"a": np.float64(0.5), "b": np.str_("x"), "c": Colour.RED, "d": Level.HIGH, "e": np.bool_(True)},
        {"a": 0.5, "b": "x", "c": "red", "d": 3, "e": True},
    ),
    "what NumPy alone has": (
        {"a": np.longdouble(0.5), "b": np.datetime64("2026-01-02")},
        {"a": "0.5", "b": "2026-01-02"},
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_metadata_of_a_hostile_document_can_be_stored(name: str) -> None:
    metadata, expected = ODD[name]
    graph = build_automix(
        small=ScriptedChatModel([DRAFT]),
        large=ScriptedChatModel(["Correct"]),
        retriever=RunnableLambda(lambda _: [Document(id="caf\udce9", page_content="x", metadata=metadata)]),
    ).compile(checkpointer=InMemorySaver())
    (document,) = graph.invoke(QUESTION, {"configurable": {"thread_id": "1"}})["documents"]
    assert document == Document(id="caf\ufffd", page_content="x", metadata=expected)
    assert all(type(value) in (str, int, float, bool, list, dict) for value in document.metadata.values())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, categories=None))
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3)
)


@given(st.dictionaries(st.text(), VALUES, max_size=3))
def test_what_is_plain_stays_and_all_becomes_plain(metadata: dict[str, Any]) -> None:
    (passage,) = passages_of([Document(page_content="x", metadata=metadata)])
    kind, stored = JsonPlusSerializer().dumps_typed(passage.metadata)
    assert JsonPlusSerializer().loads_typed((kind, stored)) == passage.metadata
    assert json.loads(json.dumps(passage.metadata, ensure_ascii=False, allow_nan=False).encode()) == passage.metadata
    (again,) = passages_of([Document(page_content="x", metadata=dict(passage.metadata))])
    assert again == passage


def test_a_store_takes_nothing_that_a_graph_must_cut() -> None:
    assert entries.DEEPEST == passages.DEEPEST


@pytest.mark.parametrize("found", [["text"], "text", None, [Document(page_content="x"), "y"]])
def test_a_retriever_returns_documents(found: object) -> None:
    graph = create_automix(
        small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=RunnableLambda(lambda _: found)
    )
    with pytest.raises(ConfigurationError, match="list of langchain_core Documents"):
        graph.invoke(QUESTION)
