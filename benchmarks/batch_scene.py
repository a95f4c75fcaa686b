"""What the benchmarks of batches run on: questions, and a graph over models that wait."""

from __future__ import annotations

import json
from pathlib import Path

from timed_model import TimedChatModel

from automix_graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import StaticRetriever

CALLS = 3
"""Model calls of a question, one after the other: all escalate."""


def graph(seconds: float) -> CompiledGraph:
    """Return a graph in which every question takes three calls, each of so many seconds."""
    return create_automix(
        small=TimedChatModel(label="small", text="In June.", seconds=seconds),
        verifier=TimedChatModel(label="judge", text="Incorrect", seconds=seconds),
        large=TimedChatModel(label="large", text="In May.", seconds=seconds),
        retriever=StaticRetriever(["It was in May, as four witnesses have said."] * 4),
        prices={"small": (0.25, 2), "judge": (1, 5), "large": (1.25, 10)},
    )


def write_questions(path: Path, count: int) -> Path:
    """Write a data set of so many questions."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": number, "question": f"When was event {number}?"}) + "\n")
    return path
