import math
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.prompts import load_prompts
from automix_graph.records import Verdict, Verification
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import Case, Verifier
from automix_graph.verification.answer_confidence import (
    ANSWER_FEATURES,
    LEAST_LOGPROB,
    AnswerConfidence,
    answer_features,
)
from automix_graph.verification.logistic import Logistic
from automix_graph.verification.verifier import models_of, reads_logprobs

LOGPROBS = (-0.5, -0.1, -2.0, -0.2, -0.3)


async def judge(verifier: AnswerConfidence, logprobs: tuple[float, ...]) -> Verification:
    case = Case(question="q", passages=(), answer="a", prompts=load_prompts("en"), logprobs=logprobs)
    judgement = verifier.verify(case)
    assert judgement == await verifier.averify(case)
    assert judgement.calls == ()
    return judgement.verification


def test_it_says_what_it_needs() -> None:
    verifier = AnswerConfidence()
    assert isinstance(verifier, Verifier)
    assert reads_logprobs(verifier)
    assert models_of(verifier) == ()


def test_the_features_are_those_of_the_tokens() -> None:
    assert answer_features(LOGPROBS) == {
        "mean": pytest.approx(-0.62),
        "min": -2.0,
        "q10": pytest.approx(-1.4),
        "q25": pytest.approx(-0.5),
        "q50": pytest.approx(-0.3),
        "first": -0.5,
        "tokens": 5.0,
    }


@pytest.mark.parametrize("quantile", [0.0, 0.1, 0.4, 1.0])
async def test_the_confidence_is_the_probability_at_the_quantile(quantile: float) -> None:
    found = await judge(AnswerConfidence(quantile=quantile), LOGPROBS)
    assert found.confidence == pytest.approx(math.exp(np.quantile(LOGPROBS, quantile)))
    assert found.signals == answer_features(LOGPROBS)


async def test_the_tenth_part_is_the_default() -> None:
    found = await judge(AnswerConfidence(), LOGPROBS)
    assert found == await judge(AnswerConfidence(quantile=0.1), LOGPROBS)


async def test_a_scale_takes_the_features_that_it_weighs() -> None:
    scale = Logistic(intercept=1.0, weights={"min": 0.5, "tokens": 0.1})
    found = await judge(AnswerConfidence(scale=scale), LOGPROBS)
    assert found.confidence == pytest.approx(1 / (1 + math.exp(-(1.0 - 1.0 + 0.5))))


@pytest.mark.parametrize(("threshold", "verdict"), [(0.7, Verdict.CORRECT), (0.75, Verdict.INCORRECT)])
async def test_the_verdict_follows_the_threshold(threshold: float, verdict: Verdict) -> None:
    found = await judge(AnswerConfidence(quantile=0.5, threshold=threshold), LOGPROBS)
    assert (found.verdict, found.verdicts) == (verdict, (verdict,))


@pytest.mark.parametrize("impossible", [-9999.0, -math.inf, LEAST_LOGPROB - 1])
async def test_what_is_too_improbable_counts_as_the_floor(impossible: float) -> None:
    found = await judge(AnswerConfidence(quantile=0.0), (impossible, -0.1))
    assert found.signals["min"] == LEAST_LOGPROB
    assert found.confidence == pytest.approx(math.exp(LEAST_LOGPROB))


async def test_rounding_makes_no_probability_above_one() -> None:
    assert (await judge(AnswerConfidence(), (1e-7,))).confidence == 1.0


@pytest.mark.parametrize("logprobs", [(math.nan, -0.1), (math.inf,), (0.9, -0.1)])
async def test_what_is_no_log_probability_is_a_failure(logprobs: tuple[float, ...]) -> None:
    found = await judge(AnswerConfidence(), logprobs)
    assert found.confidence is None
    assert found.failure and "cannot be read" in found.failure


async def test_a_model_that_reports_none_is_a_failure() -> None:
    found = await judge(AnswerConfidence(), ())
    assert found.verdict is Verdict.UNPARSED
    assert found.failure and "reported no log-probabilities; use one that does" in found.failure
    with pytest.raises(ValueError, match="no log-probabilities"):
        answer_features([])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"quantile": 1.5}, "quantile 1.5"),
        ({"quantile": math.nan}, "quantile nan"),
        ({"quantile": "0.1"}, "quantile '0.1'"),
        ({"scale": "own.json"}, r"scale is 'own.json'; give a Logistic: .* Logistic.load\(path\)"),
        ({"threshold": -0.1}, "threshold -0.1"),
        ({"scale": Logistic(intercept=0.0, weights={"median": 1.0})}, "median"),
        ({"scale": Logistic(intercept=0.0, weights={"mean": 1.0}), "quantile": 0.1}, "both given"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        AnswerConfidence(**arguments)


def test_every_feature_can_be_weighed() -> None:
    AnswerConfidence(scale=Logistic(intercept=0.0, weights=dict.fromkeys(ANSWER_FEATURES, 0.1)))


@pytest.mark.parametrize(("logprob", "route"), [(-0.1, "small"), (-3.0, "large"), (None, "large")])
def test_in_the_graph_only_the_answer_is_paid_for(logprob: float | None, route: str) -> None:
    metadata = {} if logprob is None else {"logprobs": {"content": [{"token": "May", "logprob": logprob}]}}
    graph = create_automix(
        small=GenericFakeChatModel(messages=iter([AIMessage("May", response_metadata=metadata)])),
        large=ScriptedChatModel(["June"] if route == "large" else [], label="large"),
        retriever=StaticRetriever(["In May."]),
        verifier=AnswerConfidence(),
    )
    result = graph.invoke({"question": "When?"})
    assert result["route"] == route
    assert "verify" not in {call["stage"] for call in result["usage"]["calls"]}
