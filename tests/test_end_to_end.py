"""The main job on real parts: llama.cpp, FAISS, sentence embeddings, the command line.

One small model plays all parts, so these tests say nothing of quality, only that everything fits together.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automix_graph import (
    FaissStore,
    Likelihood,
    Threshold,
    TokenProbability,
    Votes,
    create_automix,
    load_embeddings,
)
from automix_graph.graph.build import CompiledGraph
from automix_graph.graph.defaults import named
from automix_graph.models import pull
from automix_graph.prompts import Layout
from automix_graph.testing import ScriptedChatModel

pytestmark = pytest.mark.local

MODEL = "local:smollm2-135m-instruct"
QUESTION = {"question": "When did James Watt patent his steam engine?"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index a small folder with the real command."""
    pull("all-minilm-l6-v2")
    pull("smollm2-135m-instruct")
    folder = tmp_path_factory.mktemp("end-to-end")
    (folder / "docs").mkdir()
    (folder / "docs" / "watt.md").write_text(
        "# Steam\n\nJames Watt patented his steam engine in 1781.", encoding="utf-8"
    )
    (folder / "docs" / "zh.txt").write_text("亚马逊雨林的大部分位于巴西。", encoding="utf-8")
    run("index", str(folder / "docs"), "--out", str(folder / "index"))
    return folder / "index"


@pytest.fixture(scope="module")
def store(index: Path) -> Iterator[FaissStore]:
    with FaissStore.open(index, load_embeddings()) as opened:
        yield opened


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "automix_graph", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def graph_that(store: FaissStore, *, minimum: float) -> CompiledGraph:
    """Build a graph whose judge gives a real probability and whose policy accepts from a minimum."""
    return create_automix(
        small=MODEL,
        large=MODEL,
        retriever=store.as_retriever(),
        verifier=TokenProbability(judge=named(MODEL)),
        policy=Threshold(minimum),
        layout="document",
    )


@pytest.mark.parametrize(
    ("minimum", "route", "stages"),
    [(0.0, "small", ["small_answer", "verify"]), (1.0, "large", ["small_answer", "verify", "large_answer"])],
)
async def test_both_routes_end_the_same_through_every_door(
    store: FaissStore, minimum: float, route: str, stages: list[str]
) -> None:
    graph = graph_that(store, minimum=minimum)
    result = graph.invoke(QUESTION)
    assert result["route"] == route
    assert 0 < result["confidence"] < 1
    assert "1781" in result["documents"][0].page_content
    assert [call["stage"] for call in result["usage"]["calls"]] == stages
    assert result["usage"]["calls_without_usage"] == 0
    assert result["usage"]["calls"][1]["output_tokens"] == 1
    assert result["cost"] is None, "a local model has no price unless the user gives one"
    # A cached prompt can change the last bits of llama.cpp's numbers, so answers are compared within a run.
    others = [await graph.ainvoke(QUESTION), *graph.batch([QUESTION, QUESTION])]
    assert [other["route"] for other in others if other["answer"]] == [route] * 3
    parts: list[Any] = list(graph.stream(QUESTION, stream_mode=["messages", "custom", "values"]))
    final = [part for mode, part in parts if mode == "values"][-1]
    assert final["route"] == route
    assert "".join(part[0].text for mode, part in parts if mode == "messages") == final["answer"]
    assert [part["answer"] for mode, part in parts if mode == "custom" and part["event"] == "answer"] == [
        final["answer"]
    ]
    assert final["usage"]["calls_without_usage"] == 0


@pytest.mark.parametrize("layout", ["document", "shared"])
def test_an_escalated_question_reads_its_context_once(store: FaissStore, layout: Layout) -> None:
    """By likelihood, the verification is the prefill of the answer: in the server's own counts."""
    graph = create_automix(
        small=ScriptedChatModel(["The engine was patented in 1781 by James Watt of Scotland."], label="small"),
        large=MODEL,
        retriever=store.as_retriever(),
        verifier=Likelihood(judge=named(MODEL)),
        policy=Threshold(1.0),
        layout=layout,
    )
    verify, answer = graph.invoke(QUESTION)["usage"]["calls"][1:]
    assert (verify["stage"], answer["stage"]) == ("verify", "large_answer")
    assert verify["input_tokens"] == answer["input_tokens"]
    assert answer["input_tokens"] - answer["cached_input_tokens"] <= 1


def test_judging_and_answering_share_what_they_have_in_common(store: FaissStore) -> None:
    graph = create_automix(
        small=ScriptedChatModel(["In 1781."], label="small"),
        large=MODEL,
        retriever=store.as_retriever(),
        verifier=TokenProbability(judge=named(MODEL)),
        policy=Threshold(1.0),
    )
    verify, answer = graph.invoke(QUESTION)["usage"]["calls"][1:]
    assert answer["input_tokens"] - answer["cached_input_tokens"] < 0.1 * verify["input_tokens"]


def test_votes_are_drawn_and_every_one_is_charged(store: FaissStore) -> None:
    graph = create_automix(
        small=ScriptedChatModel(["In 1781."], label="small"),
        large=MODEL,
        retriever=store.as_retriever(),
        verifier=Votes(judge=named(MODEL), samples=3, quorum=1),
    )
    calls = [call for call in graph.invoke(QUESTION)["usage"]["calls"] if call["stage"] == "verify"]
    assert len(calls) == 3
    assert all(call["output_tokens"] > 0 for call in calls)
    assert calls[2]["cached_input_tokens"] > 0.9 * calls[2]["input_tokens"]


def test_the_command_line_answers_from_the_index(index: Path) -> None:
    options = ["--index", str(index), "--small", MODEL, "--large", MODEL, "--layout", "document"]
    answer = json.loads(run("ask", QUESTION["question"], *options, "--json"))
    assert answer["answer"]
    assert answer["route"] in {"small", "large"}
    assert answer["documents"][0]["metadata"]["source"].endswith("watt.md")
    shown = run("ask", QUESTION["question"], *options)
    for word in ("Answer", "Route:", "Verdict", "Sources", "Calls", "verify"):
        assert word in shown


def test_indexing_again_skips_what_has_not_changed(index: Path) -> None:
    report = json.loads(run("index", str(index.parent / "docs"), "--out", str(index), "--json"))
    assert (len(report["read"]), len(report["unchanged"])) == (0, 2)
