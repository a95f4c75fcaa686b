import math
from typing import Any

import pytest
from members import CASE, Member, Silent

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.policies import Threshold
from automix_graph.records import Reading, Verdict
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever
from automix_graph.verification import Judgement, Verifier
from automix_graph.verification.function import FunctionVerifier
from automix_graph.verification.two_stage import TwoStage
from automix_graph.verification.verifier import models_of, reads_logprobs


def stages(first: Any, second: Any, low: float = 0.3, high: float = 0.7) -> TwoStage:
    return TwoStage(
        first=Member(finds=first, label="cheap"), second=Member(finds=second, label="dear"), low=low, high=high
    )


async def judge(verifier: TwoStage) -> Judgement:
    """Judge by both doors and return what both found."""
    assert isinstance(verifier, Verifier)
    judgement = verifier.verify(CASE)
    assert judgement == await verifier.averify(CASE)
    return judgement


@pytest.mark.parametrize(
    ("first", "verdict"),
    [(0.0, Verdict.INCORRECT), (0.29, Verdict.INCORRECT), (0.71, Verdict.CORRECT), (1.0, Verdict.CORRECT)],
)
async def test_outside_the_zone_the_first_decides(first: float, verdict: Verdict) -> None:
    verifier = stages(first, 0.5)
    found = await judge(verifier)
    assert (found.verification.verdict, found.verification.confidence) == (verdict, first)
    assert found.verification.signals == {"stage": 1.0, "first": first, "first.mass": 0.5}
    assert [call.model for call in found.calls] == ["cheap"]
    assert found.verification.method == "two-stage(method of cheap, method of dear)"


@pytest.mark.parametrize("first", [0.3, 0.5, 0.7])
async def test_in_the_zone_and_on_its_bounds_the_second_decides(first: float) -> None:
    found = await judge(stages(first, 0.9))
    assert (found.verification.verdict, found.verification.confidence) == (Verdict.CORRECT, 0.9)
    assert found.verification.signals == {
        "stage": 2.0,
        "first": first,
        "first.mass": 0.5,
        "second": 0.9,
        "second.mass": 0.5,
    }
    assert [call.model for call in found.calls] == ["cheap", "dear"]


@pytest.mark.parametrize(("first", "verdict"), [(0.6, Verdict.INCORRECT), (0.4, Verdict.CORRECT)])
async def test_the_zone_overrules_the_first_ones_own_verdict(first: float, verdict: Verdict) -> None:
    bounds = (0.8, 0.9) if verdict is Verdict.INCORRECT else (0.1, 0.2)
    assert (await judge(stages(first, 0.5, *bounds))).verification.verdict is verdict


@pytest.mark.parametrize("first", [0.0, 0.5, 1.0])
async def test_the_widest_zone_always_asks_the_second(first: float) -> None:
    assert (await judge(stages(first, 0.9, 0.0, 1.0))).verification.signals["stage"] == 2.0


async def test_a_zone_of_one_point() -> None:
    assert (await judge(stages(0.5, 0.9, 0.5, 0.5))).verification.signals["stage"] == 2.0
    assert (await judge(stages(0.51, 0.9, 0.5, 0.5))).verification.signals["stage"] == 1.0


@pytest.mark.parametrize("first", [None, TimeoutError("slow")])
async def test_where_the_first_fails_the_second_decides(first: Any) -> None:
    found = await judge(stages(first, 0.9))
    assert found.verification.confidence == 0.9
    assert "first" not in found.verification.signals
    assert found.calls[-1].model == "dear"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (0.5, None, "the second stage failed: no decision"),
        (0.5, TimeoutError("slow"), "the second stage failed: the verifier raised TimeoutError"),
        (None, None, "the second stage failed: no decision; the first stage had failed: no decision"),
    ],
)
async def test_where_the_second_fails_there_is_no_judgement(first: Any, second: Any, said: str) -> None:
    found = await judge(stages(first, second))
    assert (found.verification.verdict, found.verification.confidence) == (Verdict.UNPARSED, None)
    assert found.verification.failure == said
    assert found.verification.signals["stage"] == 2.0


async def test_what_the_deciding_stage_read_is_told() -> None:
    part = Reading(kind="evidence", passages=(0,), omitted=(), tokens=9)
    verifier = TwoStage(first=Member(finds=0.5), second=Member(finds=0.9, reading=part), low=0.3, high=0.7)
    assert (await judge(verifier)).verification.reading == part


async def test_no_stage_may_stop_early_for_the_policy() -> None:
    verifier = stages(0.5, 0.5)
    await judge(verifier)
    for stage in (verifier.first, verifier.second):
        assert isinstance(stage, Member)
        assert [case.goes for case in stage.seen] == [None, None]


def test_it_says_what_its_stages_say() -> None:
    verifier = TwoStage(
        first=Member(finds=0.5, reads_logprobs=True), second=Member(finds=0.5, label="dear"), low=0.3, high=0.7
    )
    assert [model.label for model in models_of(verifier) or ()] == ["member", "dear"]
    assert reads_logprobs(verifier)
    assert models_of(TwoStage(first=Member(finds=0.5), second=Silent(), low=0.3, high=0.7)) is None


@pytest.mark.parametrize(("low", "high"), [(0.7, 0.3), (-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5), (0.5, math.nan)])
def test_the_zone_is_checked(low: float, high: float) -> None:
    with pytest.raises(ConfigurationError, match="0 <= low <= high <= 1"):
        stages(0.5, 0.5, low, high)


def test_the_stages_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="'second' is 'large'; give a Verifier"):
        TwoStage(first=Member(finds=0.5), second="large", low=0.3, high=0.7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("score", "judge", "route", "asked"), [(0.9, None, "small", 0), (0.1, None, "large", 0), (0.5, 0.8, "small", 1)]
)
def test_verdict_and_threshold_agree_in_the_graph(score: float, judge: float | None, route: str, asked: int) -> None:
    second = ScriptedChatModel(["Correct"] if judge else [], label="dear")

    def paid(case: dict[str, Any]) -> float | None:
        second.invoke("judge this")
        return judge

    for policy in (None, Threshold(0.7)):
        second._replies = ["Correct"] if judge else []
        graph = create_automix(
            small=FunctionChatModel(lambda prompt: "May", label="small"),
            large=FunctionChatModel(lambda prompt: "June", label="large"),
            retriever=StaticRetriever(["In May."]),
            verifier=TwoStage(
                first=FunctionVerifier(function=lambda case: score, name="cheap"),
                second=FunctionVerifier(function=paid),
                low=0.3,
                high=0.7,
            ),
            policy=policy,
        )
        result = graph.invoke({"question": "When?"})
        assert result["route"] == route
        assert [call["model"] for call in result["usage"]["calls"]].count("dear") == asked
