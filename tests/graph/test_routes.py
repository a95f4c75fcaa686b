"""Where a question ends, through every door, who judges it, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from scene import DOWN, DRAFT, LARGE, PASSAGES, QUESTION, MakeScene

from automix_graph.graph import create_automix
from automix_graph.policies import Threshold
from automix_graph.records import Record
from automix_graph.testing import ScriptedChatModel, StaticRetriever

MATRIX = [
    pytest.param({}, (DRAFT, "small", "CORRECT", 1.0, False), ["small_answer", "verify"], id="accepted"),
    pytest.param(
        {"judge": ["Incorrect"], "large": [LARGE]},
        (LARGE, "large", "INCORRECT", 0.0, False),
        ["small_answer", "verify", "large_answer"],
        id="escalated",
    ),
    pytest.param(
        {"judge": ["Who knows?"], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="unparsed verdict",
    ),
    pytest.param(
        {"judge": [""], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="empty verdict",
    ),
    pytest.param(
        {"small": [DOWN], "judge": [], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "large_answer"],
        id="small fails",
    ),
    pytest.param(
        {"small": ["  \n"], "judge": [], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "large_answer"],
        id="small answers nothing",
    ),
    pytest.param(
        {"judge": [DOWN], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="verifier fails",
    ),
    pytest.param(
        {"judge": ["Incorrect"], "large": [DOWN]},
        (DRAFT, "small", "INCORRECT", 0.0, True),
        ["small_answer", "verify", "large_answer"],
        id="large fails",
    ),
    pytest.param(
        {"judge": [DOWN], "large": [""]},
        (DRAFT, "small", "UNPARSED", None, True),
        ["small_answer", "verify", "large_answer"],
        id="large answers nothing",
    ),
]


@pytest.mark.parametrize(("script", "expected", "stages"), MATRIX)
@pytest.mark.parametrize("door", ["invoke", "ainvoke", "batch", "abatch"])
async def test_every_route_ends_the_same_through_every_door(
    make_scene: MakeScene, script: dict[str, Any], expected: tuple[Any, ...], stages: list[str], door: str
) -> None:
    graph = make_scene(**script).graph
    match door:
        case "invoke":
            result = graph.invoke(QUESTION)
        case "ainvoke":
            result = await graph.ainvoke(QUESTION)
        case "batch":
            (result,) = graph.batch([QUESTION])
        case _:
            (result,) = await graph.abatch([QUESTION])
    keys = ("answer", "route", "verdict", "confidence", "degraded")
    assert tuple(result[key] for key in keys) == expected
    assert [call["stage"] for call in result["usage"]["calls"]] == stages
    assert [document.page_content for document in result["documents"]] == PASSAGES


def test_the_output_has_the_documented_keys(make_scene: MakeScene) -> None:
    result = make_scene().graph.invoke(QUESTION)
    assert list(result) == [
        "answer",
        "route",
        "confidence",
        "verdict",
        "documents",
        "usage",
        "cost",
        "degraded",
        "degraded_reason",
        "messages",
    ]


def test_a_policy_decides_by_confidence(make_scene: MakeScene) -> None:
    result = make_scene(judge=["Incorrect"], policy=Threshold(0.0)).graph.invoke(QUESTION)
    assert (result["answer"], result["route"], result["verdict"]) == (DRAFT, "small", "INCORRECT")


def test_the_large_model_judges_by_default() -> None:
    small, large = ScriptedChatModel([DRAFT], label="s"), ScriptedChatModel(["Incorrect", LARGE], label="l")
    graph = create_automix(small=small, large=large, retriever=StaticRetriever(PASSAGES))
    assert graph.invoke(QUESTION)["answer"] == LARGE
    large.assert_consumed()


def test_the_small_model_can_judge_itself() -> None:
    small, large = ScriptedChatModel([DRAFT, "Correct"], label="s"), ScriptedChatModel([], label="l")
    graph = create_automix(small=small, large=large, retriever=StaticRetriever(PASSAGES), verifier="small")
    assert graph.invoke(QUESTION)["answer"] == DRAFT
    small.assert_consumed()


def test_the_record_holds_what_a_policy_needs_to_decide_again(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[LARGE])
    *_, last = scene.graph.stream(QUESTION, stream_mode="values")
    record = Record.unseal(last["record"])
    assert [draft.text for draft in record.drafts] == [DRAFT, LARGE]
    assert record.verifications[0].confidence == 0.0
    assert record.decisions[0].accept is False
    assert [call.stage for call in record.calls] == ["small_answer", "verify", "large_answer"]
