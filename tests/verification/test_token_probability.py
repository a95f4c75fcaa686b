"""Token probability where a provider gives no probabilities, or other ones than expected."""

import asyncio
import json
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage, Verdict
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, ShortVerdict, TokenProbability, Verifier
from automix_graph.verification.spelling import begun_decision

CASE = Case(question="When?", passages=(Passage(text="In May."),), answer="May", prompts=load_prompts("en"))
PROBABLE = ScriptedReply(text="Correct", token_probabilities=(("Correct", 0.9), ("Incorrect", 0.1)))
both_doors = pytest.mark.parametrize("door", ["sync", "async"])


class Status(Exception):
    """An error of a provider, with its words."""

    def __init__(self, status_code: int) -> None:
        super().__init__("secret")
        self.status_code = status_code


def named(*replies: Reply, label: str = "judge") -> NamedModel:
    return NamedModel(label=label, model=ScriptedChatModel(list(replies), label=label))


async def verified(door: str, verifier: Verifier) -> Judgement:
    return verifier.verify(CASE) if door == "sync" else await verifier.averify(CASE)


def said(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == logging.WARNING]


@both_doors
@pytest.mark.parametrize("first", ["Correct", TypeError("logprobs"), Status(400), Status(403), Status(422)])
async def test_a_provider_without_probabilities_is_asked_once(
    door: str, first: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    judge = named(first, "Correct", "Incorrect", "Correct")
    verifier = TokenProbability(judge=judge, fallback=ShortVerdict(judge=judge))
    found = [await verified(door, verifier) for _ in range(3)]
    assert [judgement.verification.confidence for judgement in found] == [1.0, 0.0, 1.0]
    assert [judgement.verification.method for judgement in found] == ["short-verdict"] * 3
    assert [len(judgement.calls) for judgement in found] == [2, 1, 1]
    judge.model.assert_consumed()  # type: ignore[attr-defined]
    (warning,) = said(caplog)
    assert warning.startswith("judge re")
    assert warning.endswith("token probabilities: short-verdict judges instead")


@both_doors
async def test_a_refusal_that_may_be_about_the_prompt_is_not_held_against_the_provider(
    door: str, caplog: pytest.LogCaptureFixture
) -> None:
    judge = named(Status(400), Status(400), PROBABLE)
    verifier = TokenProbability(judge=judge, fallback=ShortVerdict(judge=judge))
    found = await verified(door, verifier)
    assert found.verification.verdict is Verdict.UNPARSED
    assert [call.error for call in found.calls] == ["Status (400)"] * 2
    assert (await verified(door, verifier)).verification.method == "token-probability"
    assert len(said(caplog)) == 1


@both_doors
async def test_one_reply_without_probabilities_is_an_exception_where_there_were_some(door: str) -> None:
    judge = named(PROBABLE, "Correct", PROBABLE)
    verifier = TokenProbability(judge=judge, fallback=ShortVerdict(judge=named("Incorrect", label="other")))
    methods = [(await verified(door, verifier)).verification.method for _ in range(3)]
    assert methods == ["token-probability", "short-verdict", "token-probability"]


@both_doors
async def test_what_a_filter_withheld_says_nothing_about_probabilities(door: str) -> None:
    judge = named(ScriptedReply(text="", finish_reason="content_filter"), PROBABLE)
    verifier = TokenProbability(judge=judge)
    assert (await verified(door, verifier)).verification.failure
    assert (await verified(door, verifier)).verification.confidence == pytest.approx(0.9)


@both_doors
async def test_a_breakdown_is_no_lack_of_probabilities(door: str, caplog: pytest.LogCaptureFixture) -> None:
    judge = named(TimeoutError("secret"), PROBABLE)
    verifier = TokenProbability(judge=judge, fallback=ShortVerdict(judge=named(label="other")))
    assert (await verified(door, verifier)).verification.failure == "the judge failed: TimeoutError"
    assert (await verified(door, verifier)).verification.confidence == pytest.approx(0.9)
    assert not said(caplog)


@both_doors
async def test_without_a_fallback_there_is_no_judgement(door: str, caplog: pytest.LogCaptureFixture) -> None:
    verifier = TokenProbability(judge=named("Correct"))
    found = [await verified(door, verifier) for _ in range(3)]
    assert {judgement.verification.failure for judgement in found} == {
        "judge returned no token probabilities; use another verifier, or a fallback such as Votes"
    }
    assert [len(judgement.calls) for judgement in found] == [1, 0, 0]
    assert said(caplog) == ["judge returns no token probabilities: such verifications fail"]


@both_doors
async def test_a_refusal_without_a_fallback_says_what_it_may_be_about(door: str) -> None:
    found = (await verified(door, TokenProbability(judge=named(Status(400))))).verification
    assert found.failure == "the judge failed: Status (400); its provider may refuse token probabilities, or so many"


@both_doors
async def test_a_fallback_that_raises_is_a_failure_that_is_charged(door: str) -> None:
    class Broken(ShortVerdict):
        def verify(self, *_: Any) -> Judgement:
            raise ValueError("secret")

        async def averify(self, *_: Any) -> Judgement:
            raise ValueError("secret")

    found = await verified(door, TokenProbability(judge=named("x"), fallback=Broken(judge=named(label="other"))))
    assert found.verification.failure == "the verifier raised ValueError"
    assert len(found.calls) == 1


async def test_many_first_verifications_at_one_time_say_it_once(caplog: pytest.LogCaptureFixture) -> None:
    judge = NamedModel(label="judge", model=FunctionChatModel(lambda _: "Correct"))
    verifier = TokenProbability(judge=judge, fallback=ShortVerdict(judge=judge))
    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(lambda _: verifier.verify(CASE), range(8)))
    tasks = await asyncio.gather(*(verifier.averify(CASE) for _ in range(4)))
    assert [judgement.verification.confidence for judgement in (*threads, *tasks)] == [1.0] * 12
    assert len(said(caplog)) == 1


class Continuing(ScriptedChatModel):
    continues_replies: ClassVar[bool] = True


@pytest.mark.parametrize(
    ("kind", "opened", "opens"),
    [
        (ScriptedChatModel, None, False),
        (ScriptedChatModel, True, True),
        (Continuing, None, True),
        (Continuing, False, False),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_decision_is_opened_where_the_server_goes_on_with_it(
    kind: type[ScriptedChatModel], opened: bool | None, opens: bool, language: str
) -> None:
    words = load_prompts(language).words
    case = Case(question="q", passages=(), answer="a", prompts=load_prompts(language))
    model = kind([PROBABLE])
    TokenProbability(judge=model, opened=opened).verify(case)
    (*_, last) = model.prompts[0]
    assert (last.type, str(last.text) == words.opening) == (("ai", True) if opens else ("human", False))
    asked = next(message for message in reversed(model.prompts[0]) if message.type == "human")
    assert str(asked.text).endswith(words.endings["shared"]["opened" if opens else "short"])


class Reporting(ScriptedChatModel):
    """A model whose provider reports whatever it likes."""

    reported: Any = None

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        message = AIMessage("Correct", response_metadata={"logprobs": self.reported})
        return ChatResult(generations=[ChatGeneration(message=message)])


def reporting(reported: Any) -> Reporting:
    model = Reporting([])
    model.reported = reported
    return model


def first_place(*tokens: object) -> dict[str, Any]:
    return {"content": [{"token": "x", "logprob": 0.0, "top_logprobs": list(tokens)}]}


@both_doors
@pytest.mark.parametrize(
    "reported",
    [
        None,
        [],
        "text",
        {"content": None},
        {"content": []},
        {"content": {}},
        {"content": ["x"]},
        {"content": [{"token": "Correct", "logprob": -0.1}]},
        {"content": [{"token": "Correct", "logprob": -0.1, "top_logprobs": {"Correct": -0.1}}]},
        {"tokens": ["Correct"], "token_logprobs": [-0.1]},
        {"topCandidates": [{"candidates": [{"token": "Correct", "logProbability": -0.1}]}]},
        first_place({"token": "Correct", "logprob": "0"}),
        first_place({"token": "Correct", "logprob": math.nan}),
        first_place({"token": "Correct"}),
        first_place({"token": None, "logprob": -0.1}),
        first_place({"token": "Correct", "logprob": -0.1}, "Incorrect"),
    ],
    ids=repr,
)
async def test_a_report_of_another_shape_is_none(door: str, reported: Any) -> None:
    found = await verified(door, TokenProbability(judge=reporting(reported)))
    assert (found.verification.verdict, found.verification.confidence) == (Verdict.UNPARSED, None)
    assert "returned no token probabilities" in str(found.verification.failure)
    assert len(found.calls) == 1


@pytest.mark.parametrize("impossible", [None, -math.inf, -9999.0, -3.4e38])
def test_an_impossible_token_has_no_probability(impossible: float | None) -> None:
    reported = first_place({"token": "Correct", "logprob": 1e-9}, {"token": "Incorrect", "logprob": impossible})
    assert TokenProbability(judge=reporting(reported)).verify(CASE).verification.confidence == 1.0
    assert json.dumps(reported)


def test_where_every_token_is_impossible_there_is_no_share() -> None:
    reported = first_place({"token": "Correct", "logprob": None}, {"token": "Incorrect", "logprob": None})
    assert TokenProbability(judge=reporting(reported)).verify(CASE).verification.failure


@pytest.mark.parametrize("arguments", [{"top_logprobs": 1}, {"top_logprobs": 2.5}, {"fallback": "votes"}])
def test_what_cannot_be_used_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        TokenProbability(judge=ScriptedChatModel([]), **arguments)


CORRECT = (
    "Correct",
    " correct",
    "CORRECT",
    "Corr",
    " COR",
    "Ｃｏｒｒｅｃｔ",
    "**Correct",
    '"Correct',
    "“Correct",
    "Correct.",
    "'correct'",
)
INCORRECT = ("Incorrect", " In", "in", "Inc", "INCORRECT", "ＩＮ", "**Not", '"wrong', "Partially", "false.", "!Correct")
NEITHER = ("", " ", "\n", "**", '"', "I", "C", "c", "✓", "correctly", "notably", "Hello", "Yes", "\ufffd", "正确")
CORRECT_ZH = ("正确", " 正", "正確", "对", "对。", "正确的", "正确。", "（正确", "“正确", "**正确")
INCORRECT_ZH = ("错误", "错", "錯誤", "不", "不正确", "不完全", "部分", "部分正确", "有误", "否", "“错误")
NEITHER_ZH = ("对于", "对不起", "正确率", "正在", "答案", "\ufffd", "", "Correct")


@pytest.mark.parametrize(
    ("language", "tokens", "decision"),
    [
        ("en", CORRECT, Verdict.CORRECT),
        ("en", INCORRECT, Verdict.INCORRECT),
        ("en", NEITHER, None),
        ("zh", CORRECT_ZH, Verdict.CORRECT),
        ("zh", INCORRECT_ZH, Verdict.INCORRECT),
        ("zh", NEITHER_ZH, None),
    ],
)
def test_which_decision_a_token_begins(language: str, tokens: Sequence[str], decision: Verdict | None) -> None:
    words = load_prompts(language).words
    assert {token: begun_decision(token, words) for token in tokens} == dict.fromkeys(tokens, decision)
