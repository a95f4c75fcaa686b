import dataclasses
import math

import pytest

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.models.calling import NamedModel
from automix_graph.models.scoring import Way
from automix_graph.prompts import Layout, load_prompts
from automix_graph.records import Passage, Verdict
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, Likelihood, Logistic, Verifier

ANSWER = "It was built in 1874."
TOKENS = (("It", -5.0), (" was", -0.1), (" built", -0.1), (" in", -0.1), (" 18", -0.4), ("74", -0.2), (".", -4.0))
CASE = Case(
    question="When was it built?",
    passages=(Passage(text="The tower was built in 1874."),),
    answer=ANSWER,
    prompts=load_prompts("en"),
)
FORCED = ScriptedReply(text=ANSWER, logprobs=(*TOKENS, ("", -0.1)))


class Scoring(ScriptedChatModel):
    """A model that scores what it is made to generate."""

    scores_replies: Way = "forced"


def judge(*replies: Reply) -> NamedModel:
    return NamedModel(label="judge", model=Scoring(list(replies)))


async def both(reply: Reply, **options: object) -> Judgement:
    verifiers = [Likelihood(judge=judge(reply), **options) for _ in range(2)]  # type: ignore[arg-type]
    assert isinstance(verifiers[0], Verifier)
    found = [verifiers[0].verify(CASE), await verifiers[1].averify(CASE)]
    assert found[0].verification == found[1].verification
    return found[0]


async def test_confidence_is_the_geometric_mean_over_the_content() -> None:
    found = await both(FORCED)
    assert found.verification.confidence == pytest.approx(math.exp((-0.4 - 0.2) / 2))
    assert found.verification.verdict is Verdict.CORRECT
    signals = found.verification.signals
    assert signals["mean"] == pytest.approx(sum(logprob for _, logprob in TOKENS) / len(TOKENS))
    assert (signals["content_min"], signals["content_first"]) == (-0.4, -0.4)
    assert (signals["tokens"], signals["content_tokens"]) == (7, 2)
    assert len(found.calls) == 1


async def test_a_scale_turns_the_signals_into_a_confidence() -> None:
    scale = Logistic(intercept=1.0, weights={"content_mean": 2.0, "tokens": -0.1})
    found = await both(FORCED, scale=scale, threshold=0.4)
    assert found.verification.confidence == pytest.approx(1 / (1 + math.exp(-(1.0 + 2.0 * -0.3 - 0.7))))


async def test_what_the_judge_would_never_write_counts_no_more_than_that() -> None:
    reply = ScriptedReply(text=ANSWER, logprobs=(("1874", -9999.0), (" or", -0.1), (" 1875", 0.0)))
    assert (await both(reply)).verification.signals["content_mean"] == pytest.approx(-6.0)


@pytest.mark.parametrize("reply", [TimeoutError("slow"), "Something else.", ScriptedReply(text=ANSWER)])
async def test_no_score_is_a_failure_not_a_number(reply: Reply) -> None:
    found = await both(reply)
    assert found.verification.verdict is Verdict.UNPARSED
    assert found.verification.failure
    assert "slow" not in found.verification.failure
    assert len(found.calls) == 1


def test_a_server_that_cannot_score_is_not_asked_again() -> None:
    model = judge("Something else.")
    verifier = Likelihood(judge=model)
    for _ in range(2):
        found = verifier.verify(CASE)
        assert found.verification.failure == ("the server of judge cannot score a given text; use TokenProbability")
    assert found.calls == ()


def test_the_judge_is_asked_as_if_it_were_to_answer() -> None:
    model = Scoring([FORCED])
    Likelihood(judge=NamedModel(label="judge", model=model)).verify(CASE)
    turns = CASE.prompts.answer(CASE.question, CASE.passages)
    assert [message.text for message in model.prompts[0]] == [turn.text for turn in turns]


@pytest.mark.parametrize("layout", ["document", "shared"])
def test_an_escalated_answer_has_the_very_prompt_of_its_verification(layout: Layout) -> None:
    large = Scoring([ScriptedReply(text="x", logprobs=(("1874", -6.0),)), "in 1874"], label="large")
    graph = create_automix(
        small=ScriptedChatModel(["x"], label="small"),
        large=large,
        retriever=StaticRetriever(["Built in 1874.", "Painted in 1900."]),
        verifier=Likelihood(judge=large),
        layout=layout,
    )
    assert graph.invoke({"question": "When was it built?"})["route"] == "large"
    assert large.prompts[0] == large.prompts[1]


def test_only_models_that_can_score_are_taken() -> None:
    with pytest.raises(ConfigurationError, match="hosted cannot tell how probable a given text is; use a local model"):
        Likelihood(judge=NamedModel(label="hosted", model=ScriptedChatModel([])))
    with pytest.raises(ConfigurationError, match=r"\[0, 1\]"):
        Likelihood(judge=judge(), threshold=1.5)
    with pytest.raises(ConfigurationError, match="at least one token"):
        Likelihood(judge=judge(), max_tokens=0)


@pytest.mark.parametrize("answer", ["", " \n\t"])
async def test_an_empty_answer_is_not_scored_and_tells_nothing_of_the_server(answer: str) -> None:
    verifier = Likelihood(judge=judge(FORCED))
    empty = dataclasses.replace(CASE, answer=answer)
    for found in (verifier.verify(empty), await verifier.averify(empty)):
        assert found.verification.failure == "the answer is empty: there is no token to score"
        assert found.calls == ()
    assert verifier.verify(CASE).verification.confidence is not None


@pytest.mark.parametrize("draft", ["🙂", "?!", 'say "no" \\n', "one\ntwo", "a\0b", "甲乙。", "x" * 100_000])
def test_unusual_answers_are_scored(draft: str) -> None:
    sent = draft.replace("\0", "\ufffd")[:512]
    reply = ScriptedReply(text=sent, logprobs=((sent, -0.5),))
    found = Likelihood(judge=judge(reply)).verify(dataclasses.replace(CASE, answer=f" {draft}\n")).verification
    assert found.confidence == pytest.approx(math.exp(-0.5))


def test_a_server_that_could_score_once_is_asked_again() -> None:
    verifier = Likelihood(judge=judge(FORCED, "Something else.", FORCED))
    found = [verifier.verify(CASE).verification for _ in range(3)]
    assert [one.confidence is not None for one in found] == [True, False, True]
    assert found[1].failure == "the server cannot be made to generate a given reply"


class Refusal(Exception):
    status_code = 400


def test_a_refusal_may_be_about_the_prompt_so_the_next_one_is_asked() -> None:
    verifier = Likelihood(judge=judge(Refusal("secret"), FORCED))
    found = verifier.verify(CASE)
    assert found.verification.failure == (
        "the model failed: Refusal (400); its server may not score a given text, or not one of this length"
    )
    assert [call.error for call in found.calls] == ["Refusal (400)"]
    assert verifier.verify(CASE).verification.confidence is not None


def test_a_probability_a_little_above_one_is_one() -> None:
    reply = ScriptedReply(text=ANSWER, logprobs=(("1874", 1e-7),))
    assert Likelihood(judge=judge(reply)).verify(CASE).verification.confidence == 1.0


def test_a_scale_weighs_what_a_likelihood_has() -> None:
    with pytest.raises(ConfigurationError, match=r"scale weighs \['votes'\].*content_mean"):
        Likelihood(judge=judge(), scale=Logistic(intercept=0.0, weights={"votes": 1.0}))
    with pytest.raises(ConfigurationError, match="scoring is 'guess'"):
        Likelihood(judge=judge(), scoring="guess")  # type: ignore[arg-type]
