"""Functions as verifiers: what their scores mean, what they are given, and what can be one."""

from __future__ import annotations

import asyncio
import functools
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from function_scene import CASE, chain, graph_with
from langchain_core.runnables import RunnableLambda

from automix_graph.errors import ConfigurationError
from automix_graph.records import Verdict, Verification
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import ShortVerdict, Verifier, failed
from automix_graph.verification.function import FunctionVerifier, as_verifier
from automix_graph.verification.verifier import models_of


async def judge(returned: Any, **arguments: Any) -> Verification:
    """Judge by all doors and return what all found."""

    def score(case: dict[str, Any]) -> Any:
        return returned

    async def ascore(case: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        return returned

    verifier = FunctionVerifier(function=score, **arguments)
    assert isinstance(verifier, Verifier)
    found = [
        verifier.verify(CASE),
        await verifier.averify(CASE),
        FunctionVerifier(function=RunnableLambda(score), **arguments).verify(CASE),
        await FunctionVerifier(function=ascore, name=verifier.method, **arguments).averify(CASE),
    ]
    assert all(judgement == found[0] for judgement in found)
    return found[0].verification


@pytest.mark.parametrize(
    ("returned", "confidence", "verdict"),
    [
        (0.75, 0.75, Verdict.CORRECT),
        (0.5, 0.5, Verdict.INCORRECT),
        (0, 0.0, Verdict.INCORRECT),
        (1, 1.0, Verdict.CORRECT),
        (np.float32(0.25), 0.25, Verdict.INCORRECT),
        (np.float64(0.75), 0.75, Verdict.CORRECT),
        (np.int64(1), 1.0, Verdict.CORRECT),
        (Fraction(3, 4), 0.75, Verdict.CORRECT),
        (True, 1.0, Verdict.CORRECT),
        (np.False_, 0.0, Verdict.INCORRECT),
        ({"confidence": 0.9}, 0.9, Verdict.CORRECT),
        ({"confidence": 0.9, "verdict": "INCORRECT"}, 0.9, Verdict.INCORRECT),
        ({"confidence": 0.1, "verdict": Verdict.CORRECT}, 0.1, Verdict.CORRECT),
    ],
)
async def test_scores(returned: Any, confidence: float, verdict: Verdict) -> None:
    found = await judge(returned)
    assert found == Verification(method="score", verdict=verdict, confidence=confidence, verdicts=(verdict,))
    assert type(found.confidence) is float


@pytest.mark.parametrize(
    ("returned", "verdict"), [(0.8, Verdict.INCORRECT), (0.81, Verdict.CORRECT), (True, Verdict.CORRECT)]
)
async def test_the_threshold_decides_about_numbers(returned: Any, verdict: Verdict) -> None:
    assert (await judge(returned, threshold=0.8)).verdict is verdict


async def test_a_boolean_needs_no_threshold() -> None:
    assert (await judge(True, threshold=1.0)).verdict is Verdict.CORRECT


async def test_a_verification_is_kept_and_made_storable() -> None:
    given = Verification(
        method="mine", verdict=Verdict.CORRECT, confidence=np.float32(0.5), signals={"n": np.float32(2.0)}
    )
    found = await judge(given)
    assert found == given
    assert json.dumps(found.signals) == '{"n": 2.0}'
    assert await judge(failed("mine", "no idea")) == failed("mine", "no idea")


def test_the_function_gets_the_case_as_plain_values() -> None:
    seen: list[dict[str, Any]] = []
    FunctionVerifier(function=lambda case: bool(seen.append(case))).verify(CASE)
    assert seen == [
        {
            "question": "When?",
            "context": "[1] In May.\n[2] Or June.",
            "passages": ["In May.", "Or June."],
            "answer": "May SECRET",
            "language": "en",
        }
    ]


def test_names() -> None:
    class Overlap:
        def __call__(self, case: dict[str, Any]) -> float:
            return 0.5

    def overlap(case: dict[str, Any]) -> float:
        return 0.5

    assert FunctionVerifier(function=overlap).method == "overlap"
    assert FunctionVerifier(function=overlap, name="mine").method == "mine"
    assert FunctionVerifier(function=lambda case: 0.5).method == "function"
    assert FunctionVerifier(function=Overlap()).method == "Overlap"
    assert FunctionVerifier(function=functools.partial(overlap)).method == "partial"
    assert FunctionVerifier(function=RunnableLambda(overlap)).method == "overlap"
    assert models_of(FunctionVerifier(function=overlap)) is None


MODEL = ScriptedChatModel([])


def test_what_can_verify() -> None:
    verifier = ShortVerdict(judge=MODEL)
    assert as_verifier(verifier) is verifier
    for candidate in (lambda case: 0.5, RunnableLambda(lambda case: 0.5), chain(MODEL)):
        assert isinstance(as_verifier(candidate), FunctionVerifier)


@pytest.mark.parametrize(
    "candidate",
    [
        None,
        "large",
        0.5,
        FunctionVerifier,
        dict,
        MODEL,
        MODEL.bind(stop=["x"]),
        MODEL.with_retry(),
        MODEL.with_fallbacks([MODEL]),
    ],
)
def test_what_cannot(candidate: Any) -> None:
    assert as_verifier(candidate) is None
    with pytest.raises(ConfigurationError, match="give a function"):
        FunctionVerifier(function=candidate)


@pytest.mark.parametrize(
    "arguments",
    [{"threshold": 1.5}, {"threshold": math.nan}, {"threshold": None}, {"threshold": "0.5"}, {"name": ""}, {"name": 5}],
)
def test_arguments_are_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        FunctionVerifier(function=lambda case: 0.5, **arguments)


@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("score", "route"), [(0.9, "small"), (0.1, "large")])
async def test_a_score_routes(score: float, route: str, door: str) -> None:
    graph = graph_with(lambda case: score)
    question: Any = {"question": "When?"}
    result = graph.invoke(question) if door == "invoke" else await graph.ainvoke(question)
    assert (result["route"], result["confidence"]) == (route, score)
