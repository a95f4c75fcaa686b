import asyncio
import math
from typing import Any

import numpy as np
import pytest
from langchain_core.runnables import RunnableConfig
from members import CASE, Member, Silent

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.records import Reading, Verdict
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever
from automix_graph.verification import Case, Judgement, ShortVerdict, Verifier
from automix_graph.verification.combined import Combined, clipped_log_odds, fit_combined
from automix_graph.verification.logistic import Logistic, fit_logistic
from automix_graph.verification.verifier import models_of, reads_logprobs

SCALE = Logistic(intercept=0.5, weights={"a": 1.0, "b": 0.5})


def combined(a: Any, b: Any, **arguments: Any) -> Combined:
    return Combined(verifiers={"a": a, "b": b}, scale=SCALE, **arguments)


async def judge(verifier: Combined, case: Case = CASE) -> Judgement:
    """Judge by both doors and return what both found."""
    assert isinstance(verifier, Verifier)
    judgement = verifier.verify(case)
    assert judgement == await verifier.averify(case)
    return judgement


async def test_confidences_are_weighed_as_log_odds() -> None:
    found = await judge(combined(Member(finds=0.8, label="x"), Member(finds=0.1, label="y")))
    expected = 1 / (1 + math.exp(-(0.5 + math.log(0.8 / 0.2) + 0.5 * math.log(0.1 / 0.9))))
    assert found.verification.confidence == pytest.approx(expected)
    assert found.verification.verdict is Verdict.CORRECT
    assert found.verification.method == "combined(a+b)"
    assert found.verification.verdicts == (Verdict.CORRECT, Verdict.INCORRECT)
    assert found.verification.signals == {"a": 0.8, "a.mass": 0.5, "b": 0.1, "b.mass": 0.5}
    assert [call.model for call in found.calls] == ["x", "y"]


async def test_verdicts_without_doubt_are_clipped() -> None:
    found = await judge(combined(Member(finds=1.0), Member(finds=0.0)))
    assert found.verification.confidence == pytest.approx(1 / (1 + math.exp(-(0.5 + 0.5 * math.log(999)))))
    assert clipped_log_odds(0.0) == pytest.approx(-clipped_log_odds(1.0)) == pytest.approx(math.log(0.001 / 0.999))


@pytest.mark.parametrize(("threshold", "verdict"), [(0.6, Verdict.CORRECT), (0.63, Verdict.INCORRECT)])
async def test_the_verdict_follows_the_threshold(threshold: float, verdict: Verdict) -> None:
    found = await judge(combined(Member(finds=0.5), Member(finds=0.5), threshold=threshold))
    assert found.verification.confidence == pytest.approx(0.6224593)
    assert found.verification.verdict is verdict


@pytest.mark.parametrize(
    ("finds", "said", "charged"),
    [
        (None, "b: no decision", ["x", "y"]),
        (TimeoutError("secret"), "b: the verifier raised TimeoutError", ["x"]),
        (ConfigurationError("no key"), "b: the verifier raised ConfigurationError: no key", ["x"]),
    ],
)
async def test_a_member_that_fails_makes_the_whole_fail(finds: Any, said: str, charged: list[str]) -> None:
    found = await judge(combined(Member(finds=0.9, label="x"), Member(finds=finds, label="y")))
    assert (found.verification.verdict, found.verification.failure) == (Verdict.UNPARSED, said)
    assert found.verification.signals["a"] == 0.9
    assert [call.model for call in found.calls] == charged


async def test_all_failures_are_told_and_all_members_asked() -> None:
    found = await judge(combined(Member(finds=None), Member(finds=None)))
    assert found.verification.failure == "a: no decision; b: no decision"
    assert len(found.calls) == 2


@pytest.mark.parametrize("mistake", [AssertionError("bug"), NotImplementedError("bug")])
async def test_a_mistake_is_not_hidden(mistake: Exception) -> None:
    verifier = combined(Member(finds=mistake), Member(finds=0.5))
    with pytest.raises(type(mistake), match="bug"):
        verifier.verify(CASE)
    with pytest.raises(type(mistake), match="bug"):
        await verifier.averify(CASE)


async def test_a_member_that_returns_no_judgement_is_named() -> None:
    class Careless(Silent):
        def verify(self, case: Case, config: RunnableConfig | None = None) -> Any:
            return 0.5

    with pytest.raises(ConfigurationError, match="'silent' returned a float"):
        combined(Careless(), Member(finds=0.5)).verify(CASE)


async def test_members_are_asked_together() -> None:
    running = 0
    both = asyncio.Event()

    class Waiting(Member):
        async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
            nonlocal running
            running += 1
            if running == 2:
                both.set()
            await asyncio.wait_for(both.wait(), 5)
            return self.verify(case, config)

    found = await combined(Waiting(finds=0.5), Waiting(finds=0.5)).averify(CASE)
    assert found.verification.confidence is not None


async def test_no_member_may_stop_early_for_the_policy() -> None:
    member = Member(finds=0.5)
    await judge(combined(member, Member(finds=0.5)))
    assert [case.goes for case in member.seen] == [None, None]


async def test_what_was_left_out_for_a_member_is_told() -> None:
    part = Reading(kind="budget", passages=(0,), omitted=(1,), tokens=9)
    more = Reading(kind="evidence", passages=(0, 1), omitted=(), tokens=20, cut=(0,))
    for others in (Member(finds=0.5), Member(finds=0.5, reading=part), Member(finds=0.5, reading=more)):
        assert (await judge(combined(Member(finds=0.5, reading=part), others))).verification.reading == part
    assert (await judge(combined(Member(finds=0.5), Member(finds=0.5)))).verification.reading is None
    failing = await judge(combined(Member(finds=None), Member(finds=0.5, reading=part)))
    assert failing.verification.failure
    assert failing.verification.reading == part


def test_it_says_what_its_members_say() -> None:
    verifier = combined(Member(finds=0.5, label="x"), Member(finds=0.5, label="x", reads_logprobs=True))
    assert [model.label for model in models_of(verifier) or ()] == ["x"]
    assert reads_logprobs(verifier)
    unknown = combined(Member(finds=0.5), Silent())
    assert models_of(unknown) is None
    assert not reads_logprobs(unknown)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"verifiers": {}}, "at least one"),
        ({"verifiers": [Member(finds=0.5)]}, "mapping"),
        ({"verifiers": {"a": Member(finds=0.5), "b": 0.5}}, "'b' is 0.5; give a Verifier"),
        ({"verifiers": {"a": Member(finds=0.5), "b": Member}}, "'b' is <class"),
        ({"verifiers": {"a": Member(finds=0.5), "b.c": Member(finds=0.5)}}, "'b.c'"),
        ({"verifiers": {"a": Member(finds=0.5)}}, "fit it with fit_combined"),
        ({"verifiers": {"a": Member(finds=0.5), "b": Member(finds=0.5)}, "threshold": math.nan}, "threshold nan"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Combined(scale=SCALE, **arguments)


# Fitting


def test_the_fit_uses_the_same_log_odds() -> None:
    rng = np.random.default_rng(5)
    confidence, correct = rng.random(200), rng.random(200) < 0.5
    confidence[:2] = 0.0, 1.0
    log_odds = [clipped_log_odds(one) for one in confidence]
    assert fit_combined({"a": confidence}, correct) == fit_logistic({"a": log_odds}, correct)


async def test_a_calibrated_member_is_left_as_it_is() -> None:
    rng = np.random.default_rng(23)
    confidence = rng.uniform(0.02, 0.98, 50_000)
    correct = rng.random(50_000) < confidence
    scale = fit_combined({"calibrated": confidence, "noise": rng.random(50_000)}, correct)
    assert scale.weights["calibrated"] == pytest.approx(1.0, abs=0.03)
    assert scale.weights["noise"] == pytest.approx(0.0, abs=0.03)
    alone = Combined(verifiers={"a": Member(finds=0.8)}, scale=Logistic(intercept=0.0, weights={"a": 1.0}))
    assert (await judge(alone)).verification.confidence == pytest.approx(0.8)


@pytest.mark.parametrize("bad", [1.01, -0.1, math.nan, None, "x"])
def test_the_fit_wants_confidences(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="confidences of 'a'"):
        fit_combined({"a": [0.5] * 19 + [bad]}, [True, False] * 10)
    with pytest.raises(ConfigurationError, match="confidences of 'a'"):
        fit_combined({"a": [[0.5] * 20]}, [True, False] * 10)


@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
async def test_in_the_graph_every_member_is_paid(door: str) -> None:
    graph = create_automix(
        small=ScriptedChatModel(["May"], label="small"),
        large=ScriptedChatModel(["June"], label="large"),
        retriever=StaticRetriever(["In May."]),
        verifier=combined(
            ShortVerdict(judge=FunctionChatModel(lambda prompt: "Correct", label="x")),
            ShortVerdict(judge=FunctionChatModel(lambda prompt: TimeoutError("slow"), label="y")),
        ),
    )
    question: Any = {"question": "When?"}
    result = graph.invoke(question) if door == "invoke" else await graph.ainvoke(question)
    assert (result["route"], result["verdict"]) == ("large", "UNPARSED")
    assert [call["model"] for call in result["usage"]["calls"]] == ["small", "x", "y", "large"]
