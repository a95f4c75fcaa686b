"""Functions that verify and fail: they raise, return no score, or are not awaited."""

from __future__ import annotations

import functools
import logging
import math
import pickle
from typing import Any

import numpy as np
import pytest
from function_scene import CASE, graph_with
from langchain_core.runnables import RunnableLambda

from automix_graph.errors import ConfigurationError
from automix_graph.verification import Judgement, failed
from automix_graph.verification.function import FunctionVerifier

BAD = [
    (math.nan, "the float nan"),
    (1.7, "the float 1.7"),
    (-0.1, "the float -0.1"),
    (2, "the int 2"),
    (np.float32(math.inf), "the float32 inf"),
    (None, "a NoneType"),
    ("0.9 SECRET", "a str"),
    ([0.9], "a list"),
    (np.array(0.5), r"a ndarray, which holds one number as value\.item\(\)"),
    (1j, "a complex"),
    ({}, "a mapping without 'confidence'"),
    ({"confidence": 0.5, "SECRET": 1}, "another key"),
    ({"confidence": True}, "returned as 'confidence' a bool"),
    ({"confidence": 1.7}, "returned as 'confidence' the float 1.7"),
    ({"confidence": 0.5, "verdict": "SECRET"}, "a str that is neither"),
    ({"confidence": 0.5, "verdict": "UNPARSED"}, "a str that is neither"),
    (Judgement(verification=failed("m", "x")), "a Judgement"),
]


@pytest.mark.parametrize(("returned", "said"), BAD)
async def test_anything_else_is_an_error_without_a_word_of_the_text(returned: Any, said: str) -> None:
    verifier = FunctionVerifier(function=lambda case: returned, name="mine")
    for door in ("verify", "averify"):
        with pytest.raises(ConfigurationError, match=f"verifier 'mine'.*{said}") as caught:
            _ = verifier.verify(CASE) if door == "verify" else await verifier.averify(CASE)
        assert "SECRET" not in str(caught.value)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("error", [TimeoutError("SECRET"), ValueError("SECRET"), TypeError("SECRET")])
async def test_a_function_that_raises_has_failed(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def score(case: dict[str, Any]) -> float:
        raise error

    verifier = FunctionVerifier(function=score)
    with caplog.at_level(logging.WARNING):
        found = verifier.verify(CASE)
        assert found == await verifier.averify(CASE)
    assert found.verification == failed("score", f"the verifier raised {type(error).__name__}")
    assert "score raised" in caplog.text
    assert "SECRET" not in caplog.text


async def test_a_mistake_in_the_function_is_not_hidden() -> None:
    verifier = FunctionVerifier(function=lambda case: undefined)  # type: ignore[name-defined]  # noqa: F821
    with pytest.raises(NameError):
        verifier.verify(CASE)
    with pytest.raises(NameError):
        await verifier.averify(CASE)


async def test_a_coroutine_function_needs_an_asynchronous_graph() -> None:
    async def score(case: dict[str, Any]) -> float:
        return 0.5

    for function in (score, functools.partial(score), RunnableLambda(score)):
        verifier = FunctionVerifier(function=function, name="mine")
        with pytest.raises(NotImplementedError, match="'mine' is a coroutine function; run the graph with ainvoke"):
            verifier.verify(CASE)
        assert (await verifier.averify(CASE)).verification.confidence == 0.5


async def test_a_coroutine_that_nobody_awaits_is_no_score() -> None:
    async def score(case: dict[str, Any]) -> float:
        return 0.5

    def careless(case: dict[str, Any]) -> Any:
        return score(case)

    with pytest.raises(ConfigurationError, match="a coroutine"):
        FunctionVerifier(function=careless).verify(CASE)


@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("returned", "said"), BAD)
async def test_an_unusable_score_never_accepts(returned: Any, said: str, door: str) -> None:
    graph = graph_with(lambda case: returned)
    question: Any = {"question": "When?"}
    reasons = []
    async for event in graph.astream(question, stream_mode="custom"):
        if event["event"] == "verified":
            reasons.append(event["reason"])
    result = graph.invoke(question) if door == "invoke" else await graph.ainvoke(question)
    assert (result["route"], result["verdict"], result["confidence"]) == ("large", "UNPARSED", None)
    (reason,) = reasons
    assert reason.startswith("no judgement: the verifier raised ")
    assert "SECRET" not in reason
    with pytest.raises(ConfigurationError, match=said):
        raise ConfigurationError(reason)
