"""The agent, the verifier of one's own, and what every example has."""

import re
from pathlib import Path

import pytest
from loaded import EXAMPLES, program

from automix_graph.testing.embeddings import HashEmbeddings

FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and path.name not in {"__pycache__", "corpus"})
"""Of programs; `corpus` holds documents alone."""


def test_the_agent_prints_what_its_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    with program("agent/agent.py") as example:
        answers, asked = example.main([])
    assert [state["automix"]["route"] for state in answers] == ["small", "large"]
    assert asked["messages"][-1].text == "The mirror is four metres wide."
    page = (EXAMPLES / "agent" / "README.md").read_text(encoding="utf-8")
    assert f"```\n{capsys.readouterr().out}```" in page


def test_the_verifier_of_ones_own_keeps_what_is_grounded() -> None:
    with program("groundedness/groundedness.py") as example:
        grounded, invented = example.main(HashEmbeddings())
    assert (grounded["route"], grounded["confidence"]) == ("small", pytest.approx(1.0))
    assert (invented["route"], invented["verdict"]) == ("large", "INCORRECT")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_example_has_a_page_whose_links_and_commands_are_real(folder: Path) -> None:
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    for link in re.findall(r"\]\((?!https?://)([^)#]+)", page):
        assert (folder / link).exists(), link
    for path in re.findall(r"\bexamples/[\w./-]+", page):
        assert (EXAMPLES.parent / path).exists(), path


def test_there_are_the_examples() -> None:
    assert {"agent", "deployment", "groundedness", "ray", "vllm"} <= {folder.name for folder in FOLDERS}
