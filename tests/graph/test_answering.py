"""A small model that is asked for the log-probabilities of its answer, and one that will not tell them."""

import logging
from typing import Any

import pytest
from pydantic import Field

from automix_graph.graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import AnswerConfidence, ShortVerdict, TwoStage, Verifier

QUESTION = {"question": "When?"}
TOLD = ScriptedReply(text="May", logprobs=(("May", -0.01),))


class StatusError(Exception):
    """What a provider raises."""

    def __init__(self, status_code: int, message: str = "no") -> None:
        super().__init__(message)
        self.status_code = status_code


class Small(ScriptedChatModel):
    """Notes whether it was asked for log-probabilities, and fails as told if so."""

    asked: list[bool] = Field(default_factory=list)
    refusal: Any = None

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append("logprobs" in kwargs)
        if "logprobs" in kwargs and self.refusal is not None:
            raise self.refusal
        return super()._generate(*args, **kwargs)


def small_model(*replies: Any, refusal: Exception | None = None) -> Small:
    model = Small(list(replies), label="small")
    model.refusal = refusal
    return model


def graph_of(small: Small, verifier: Verifier, *, large: tuple[str, ...] = ()) -> CompiledGraph:
    return create_automix(
        small=small,
        large=ScriptedChatModel(large, label="large"),
        retriever=StaticRetriever(["In May."]),
        verifier=verifier,
    )


def judge() -> ShortVerdict:
    return ShortVerdict(judge=ScriptedChatModel(["Correct"] * 2, label="judge"))


def test_only_a_verifier_that_reads_them_has_them_asked_for() -> None:
    small = small_model(TOLD, TOLD)
    graph_of(small, judge()).invoke(QUESTION)
    assert small.asked == [False]
    result = graph_of(small, AnswerConfidence()).invoke(QUESTION)
    assert small.asked == [False, True]
    assert result["confidence"] == pytest.approx(0.99, abs=0.001)


REFUSALS = [
    StatusError(400),
    StatusError(422),
    StatusError(403),
    TypeError("unexpected keyword argument 'logprobs'"),
    RuntimeError("Logprobs is not enabled"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=repr)
@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
async def test_a_model_that_refuses_them_still_answers(
    refusal: Exception, door: str, caplog: pytest.LogCaptureFixture
) -> None:
    small = small_model("May", "June", refusal=refusal)
    verifier = TwoStage(first=AnswerConfidence(), second=judge(), low=0.2, high=0.9)
    graph = graph_of(small, verifier)
    with caplog.at_level(logging.WARNING):
        results = [graph.invoke(QUESTION) if door == "invoke" else await graph.ainvoke(QUESTION) for _ in range(2)]
    assert [result["answer"] for result in results] == ["May", "June"]
    assert small.asked == [True, False, False]  # known after the first question
    first, second = ([call["error"] for call in result["usage"]["calls"]] for result in results)
    assert first[0] is not None
    assert first[0].startswith(type(refusal).__name__)
    assert (first[1:], second) == ([None, None], [None, None])
    assert [message for message in caplog.messages if "small refuses to report" in message] == caplog.messages


def test_alone_the_free_signal_then_escalates() -> None:
    small = small_model("May", refusal=StatusError(400))
    result = graph_of(small, AnswerConfidence(), large=("June",)).invoke(QUESTION)
    assert (result["answer"], result["verdict"]) == ("June", "UNPARSED")


@pytest.mark.parametrize("failure", [StatusError(429), StatusError(401), TimeoutError("slow")], ids=repr)
def test_another_failure_is_not_taken_for_a_refusal(failure: Exception) -> None:
    small = small_model(refusal=failure)
    graph_of(small, AnswerConfidence(), large=("June",)).invoke(QUESTION)
    assert small.asked == [True]


def test_a_request_that_fails_either_way_says_nothing_of_the_option() -> None:
    small = small_model(StatusError(400), TOLD, refusal=StatusError(400))
    graph = graph_of(small, AnswerConfidence(), large=("June",))
    result = graph.invoke(QUESTION)
    assert [call["error"] for call in result["usage"]["calls"]] == ["StatusError (400)"] * 2 + [None]
    small.refusal = None
    assert graph.invoke(QUESTION)["answer"] == "May"
    assert small.asked == [True, False, True]
