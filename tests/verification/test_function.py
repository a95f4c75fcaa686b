import asyncio
import functools
import json
import logging
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage, Verdict, Verification
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Case, Judgement, ShortVerdict, Verifier, failed
from automix_graph.verification.function import FunctionVerifier, as_verifier
from automix_graph.verification.verifier import models_of

PASSAGES = (Passage(text="In May."), Passage(text="Or June."))
CASE = Case(question="When?", passages=PASSAGES, answer="May SECRET", prompts=load_prompts("en"))


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


# Functions that fail


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


# Model calls inside


def chain(model: Any) -> Runnable[Any, Any]:
    prompt = ChatPromptTemplate.from_template("{context} {question} {answer} How sure, in percent?")
    return prompt | model | StrOutputParser() | (lambda text: int(text) / 100)


@pytest.mark.parametrize("door", ["verify", "averify"])
@pytest.mark.parametrize("shape", ["chain", "function"])
async def test_model_calls_inside_are_charged(door: str, shape: str) -> None:
    model = ScriptedChatModel([ScriptedReply(text="80", usage=(30, 1)), ScriptedReply(text="80", usage=())], label="j")
    function: Any = chain(model) if shape == "chain" else lambda case: int(model.invoke("?").text) / 100
    verifier = FunctionVerifier(function=function)
    usage = UsageMetadataCallbackHandler()
    for tokens in (30, None):
        judgement = (
            verifier.verify(CASE, {"callbacks": [usage]})
            if door == "verify"
            else await verifier.averify(CASE, {"callbacks": [usage]})
        )
        assert judgement.verification.confidence == 0.8
        (call,) = judgement.calls
        assert (call.stage, call.model, call.usage.input_tokens, call.error) == ("verify", "j", tokens, None)
    assert usage.usage_metadata["j"]["input_tokens"] == 30  # the caller's own callbacks see the calls as well


@pytest.mark.parametrize("second", [TimeoutError("slow"), "no number"])
async def test_calls_before_a_failure_are_charged(second: Any) -> None:
    model = ScriptedChatModel(["90", second], label="j")

    def score(case: dict[str, Any]) -> float:
        model.invoke("once")
        return int(model.invoke("twice").text) / 100

    found = await FunctionVerifier(function=score).averify(CASE)
    assert found.verification.failure
    assert [call.error for call in found.calls] == [None, "TimeoutError" if isinstance(second, Exception) else None]


async def test_calls_before_an_unusable_score_travel_with_the_error() -> None:
    model = ScriptedChatModel(["170"], label="j")
    with pytest.raises(ConfigurationError, match=r"1\.7") as caught:
        FunctionVerifier(function=chain(model)).verify(CASE)
    assert [call.model for call in caught.value.calls] == ["j"]  # type: ignore[attr-defined]


def test_a_model_inside_has_the_label_of_a_tier() -> None:
    class Named(ScriptedChatModel):
        model_name: str = "gpt-x"

        @property
        def _llm_type(self) -> str:
            return "named"

    (call,) = FunctionVerifier(function=chain(Named(["50"], label="gpt-x-2026-01-01"))).verify(CASE).calls
    assert call.model == "named:gpt-x"
    local = Named(["50"])
    local.model_name = "local:judge"
    (call,) = FunctionVerifier(function=chain(local)).verify(CASE).calls
    assert call.model == "local:judge"


# What becomes a verifier


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


# In the graph


def graph_with(function: Any) -> CompiledGraph:
    return create_automix(
        small=FunctionChatModel(lambda prompt: "May", label="small"),
        large=FunctionChatModel(lambda prompt: "June", label="large"),
        retriever=StaticRetriever(["In May."]),
        verifier=FunctionVerifier(function=function, name="mine"),
    )


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


@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("score", "route"), [(0.9, "small"), (0.1, "large")])
async def test_a_score_routes(score: float, route: str, door: str) -> None:
    graph = graph_with(lambda case: score)
    question: Any = {"question": "When?"}
    result = graph.invoke(question) if door == "invoke" else await graph.ainvoke(question)
    assert (result["route"], result["confidence"]) == (route, score)


async def test_a_model_inside_is_on_the_bill_and_does_not_stream() -> None:
    graph = graph_with(chain(FunctionChatModel(lambda prompt: "80", label="judge")))
    result = graph.invoke({"question": "When?"})
    assert [(call["stage"], call["model"]) for call in result["usage"]["calls"]] == [
        ("small_answer", "small"),
        ("verify", "judge"),
    ]
    streamed = [message.text async for message, _ in graph.astream({"question": "When?"}, stream_mode="messages")]  # type: ignore[union-attr]
    assert "80" not in "".join(streamed)
