"""Log-probabilities as they come over the wire, and the verdict that is read off them."""

import math
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from openai_api import answering, openai_model

from automix_graph.models.calling import Attempt, NamedModel
from automix_graph.models.logprobs import first_candidates, reply_tokens
from automix_graph.prompts import load_prompts
from automix_graph.records import Call, Passage, Usage, Verdict
from automix_graph.verification import Case, TokenProbability, Votes

both_doors = pytest.mark.parametrize("door", ["sync", "async"])
USAGE = {"prompt_tokens": 30, "completion_tokens": 1, "total_tokens": 31}


def case_in(language: str) -> Case:
    return Case(question="q", passages=(Passage(text="p"),), answer="a", prompts=load_prompts(language))


def completion(text: str, likeliest: dict[str, float] | None = None, choices: int = 1) -> dict[str, Any]:
    message: dict[str, Any] = {"finish_reason": "length", "message": {"role": "assistant", "content": text}}
    if likeliest is not None:
        top = [{"token": token, "logprob": math.log(p), "bytes": []} for token, p in likeliest.items()]
        message["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    else:
        message["finish_reason"] = "stop"
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE}
    return {**body, "choices": [{**message, "index": index} for index in range(choices)]}


@both_doors
@pytest.mark.parametrize(
    ("language", "likeliest", "confidence"),
    [
        ("en", {"Corr": 0.6, "In": 0.2, "I": 0.1}, 0.75),
        ("en", {" correct": 0.3, "CORRECT": 0.1, "Ｃorrect": 0.2, " Incorrect": 0.2, " the": 0.2}, 0.75),
        ("en", {'"Correct': 0.3, "**Correct": 0.3, "Not": 0.1, "**": 0.2}, 6 / 7),
        ("zh", {"正确": 0.4, "正": 0.2, "错误": 0.1, "错": 0.1, "不正确": 0.1, "不": 0.1}, 0.6),
    ],
)
async def test_one_token_of_a_chat_completion_is_read(
    door: str, language: str, likeliest: dict[str, float], confidence: float
) -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        seen.append(request)
        return 200, completion(next(iter(likeliest)), likeliest)

    with answering(answer) as url:
        verifier = TokenProbability(judge=NamedModel(label="judge", model=openai_model(url)))
        case = case_in(language)
        found = verifier.verify(case) if door == "sync" else await verifier.averify(case)
    assert found.verification.confidence == pytest.approx(confidence)
    (request,) = seen
    assert (request["logprobs"], request["top_logprobs"], request["max_completion_tokens"]) == (True, 20, 1)
    assert request["messages"][-1]["role"] == "user"
    assert (found.calls[0].usage.input_tokens, found.calls[0].usage.output_tokens) == (30, 1)


@both_doors
@pytest.mark.parametrize("status", [200, 400, 403])
async def test_votes_judge_where_a_server_gives_no_probabilities(door: str, status: int) -> None:
    seen: list[str] = []

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        seen.append("probability" if request.get("logprobs") else "votes")
        if request.get("logprobs") and status != 200:
            return status, {"error": {"message": "logprobs is not supported: secret"}}
        return 200, completion("Correct", choices=request.get("n") or 1)

    with answering(answer) as url:
        judge = NamedModel(label="judge", model=openai_model(url))
        verifier = TokenProbability(judge=judge, fallback=Votes(judge=judge, samples=3))
        case = case_in("en")
        found = [verifier.verify(case) if door == "sync" else await verifier.averify(case) for _ in range(2)]
    assert [judgement.verification.verdict for judgement in found] == [Verdict.CORRECT] * 2
    assert seen == ["probability", "votes", "votes"]
    assert [len(judgement.calls) for judgement in found] == [2, 1]


def message(reported: Any) -> AIMessage:
    return AIMessage("x", response_metadata={"logprobs": reported})


@pytest.mark.parametrize(
    "reported",
    [None, [], "x", {"content": None}, {"content": [None]}, {"content": [{"token": "x"}]}, {"tokens": ["x"]}],
    ids=repr,
)
def test_what_has_another_shape_is_not_reported(reported: Any) -> None:
    assert reply_tokens(message(reported)) == ()
    assert first_candidates(message(reported)) == ()


@pytest.mark.parametrize(("logprob", "kept"), [(-0.5, (-0.5,)), (1e-9, (0.0,)), (-math.inf, ()), (None, ())])
def test_an_attempt_has_finite_log_probabilities_or_none(logprob: float | None, kept: tuple[float, ...]) -> None:
    reply = message({"content": [{"token": "x", "logprob": logprob}]})
    attempt = Attempt(call=Call(stage="verify", model="m", usage=Usage(), seconds=0.0), message=reply)
    assert attempt.logprobs == kept
