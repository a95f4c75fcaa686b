"""The example of a cascade inside an agent runs."""

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "agent" / "agent.py"


def test_the_example_keeps_one_draft_and_rejects_one(capsys: pytest.CaptureFixture[str]) -> None:
    answers, asked = runpy.run_path(str(EXAMPLE))["main"]([])
    assert [state["automix"]["route"] for state in answers] == ["small", "large"]
    assert asked["messages"][-1].text == "The mirror is four metres wide."
    assert capsys.readouterr().out.splitlines() == [
        "How wide is the mirror? [small, CORRECT] Four metres.",
        "When was the observatory opened? [large, INCORRECT] In May 1974.",
        "How wide is the mirror? [tool: small, 2 sources] Four metres.",
    ]
