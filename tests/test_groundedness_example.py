"""The example of a verifier of one's own runs."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from langchain_core.embeddings import Embeddings

from automix_graph.testing.embeddings import HashEmbeddings

EXAMPLE = Path(__file__).parents[1] / "examples" / "groundedness" / "groundedness.py"


@pytest.fixture
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("groundedness", EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["groundedness"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["groundedness"]


def check(example: ModuleType, embeddings: Embeddings | None) -> None:
    grounded, invented = example.main(embeddings)
    assert (grounded["route"], grounded["verdict"]) == ("small", "CORRECT")
    assert grounded["confidence"] == pytest.approx(1.0)
    assert (invented["route"], invented["verdict"]) == ("large", "INCORRECT")
    assert invented["confidence"] < 0.7


def test_the_example_keeps_what_is_grounded(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    check(example, HashEmbeddings())
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 2
    assert "[small, groundedness 1.00]" in shown[0]


@pytest.mark.local
def test_the_example_runs_on_the_embedded_model(example: ModuleType) -> None:
    check(example, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("它在五月。谁付的？没说", ["它在五月。", "谁付的？", "没说"]),
        ("  \n ", []),
        ("Pi is 3.14.\n- a list", ["Pi is 3.14.", "- a list"]),
    ],
)
def test_sentences(example: ModuleType, text: str, found: list[str]) -> None:
    assert example.sentences(text) == found


def test_the_worst_sentence_counts(example: ModuleType) -> None:
    score = example.Groundedness(embeddings=HashEmbeddings(512))
    case = {"passages": ["Red fox. Blue owl."], "answer": "Red fox."}
    assert score(case) == pytest.approx(1.0)
    assert score(case | {"answer": "Red fox. Green pelican."}) < 0.5
    assert score(case | {"passages": []}) == 0.0
