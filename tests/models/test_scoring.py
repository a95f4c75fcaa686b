"""The probability of a given reply, with servers that report prompts, that obey grammars, and that do neither."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai_api import answering, openai_model

from automix_graph.models.alignment import spelling_tail
from automix_graph.models.calling import NamedModel
from automix_graph.models.logprobs import ScoredToken
from automix_graph.models.scoring import Scored, Way, ascore_reply, literal, score_reply, ways_of
from automix_graph.prompts import load_prompts
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import Case, Likelihood

ASKED = [SystemMessage("Be brief."), HumanMessage("When was it built?")]
USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 1,
    "total_tokens": 31,
    "prompt_tokens_details": {"cached_tokens": 20},
}


def completion(text: str, logprobs: list[tuple[str, float]] | None = None, **more: Any) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
    }
    if logprobs is not None:
        content = [{"token": token, "logprob": value, "bytes": [], "top_logprobs": []} for token, value in logprobs]
        choice["logprobs"] = {"content": content}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    return body | more


def prompt_logprobs(*tokens: tuple[str, float]) -> list[dict[str, Any] | None]:
    shown = [{str(n): {"logprob": p, "rank": 1, "decoded_token": t}} for n, (t, p) in enumerate(tokens)]
    return [None, *shown]


async def score(reply: str, way: Way, answer: Callable[[dict[str, Any]], Any], max_tokens: int = 32) -> Scored:
    """Score by both doors and return what both found."""
    with answering(lambda request: (200, answer(request))) as url:
        target = NamedModel(label="vllm:m", model=openai_model(url))
        asked = {"way": way, "max_tokens": max_tokens, "stage": "verify"}
        found = [score_reply(target, ASKED, reply, **asked), await ascore_reply(target, ASKED, reply, **asked)]
    assert found[0].tokens == found[1].tokens
    assert found[0].failure == found[1].failure
    assert found[0].call.usage == found[1].call.usage
    return found[0]


async def test_the_log_probabilities_of_the_prompt_are_those_of_the_reply_at_its_end() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        tokens = prompt_logprobs(("built", -9.0), ("?", -9.0), ("assistant\n", -9.0), ("In", -0.5), (" 18", -0.25))
        return completion("!", prompt_logprobs=tokens)

    found = await score("In 18", "prompt", answer)
    assert [(token.text, token.logprob) for token in found.tokens] == [("In", -0.5), (" 18", -0.25)]
    assert (found.call.usage.input_tokens, found.call.usage.cached_input_tokens) == (30, 20)
    assert found.call.model == "vllm:m"
    request = seen[0]
    assert request["messages"][-1] == {"role": "assistant", "content": "In 18"}
    assert (request["prompt_logprobs"], request["continue_final_message"], request["max_tokens"]) == (0, True, 1)
    assert request["add_generation_prompt"] is False


async def test_characters_that_are_cut_into_several_tokens_are_found() -> None:
    tokens = prompt_logprobs(
        ("\n", -9.0), ("\ufffd", -1.0), ("\ufffd", -2.0), ("b", -3.0), ("\ufffd", -4.0), ("乙", -5.0)
    )
    found = await score("甲b龘乙", "prompt", lambda _: completion("!", prompt_logprobs=tokens))
    assert [token.logprob for token in found.tokens] == [-1.0, -2.0, -3.0, -4.0, -5.0]


async def test_a_prompt_that_does_not_end_in_the_reply_scores_nothing() -> None:
    tokens = prompt_logprobs(("In", -0.5), (" 19", -0.25))
    found = await score("In 18", "prompt", lambda _: completion("!", prompt_logprobs=tokens))
    assert (found.tokens, found.unsupported) == ((), True)


async def test_no_more_tokens_are_scored_than_asked_for() -> None:
    tokens = prompt_logprobs(("a", -1.0), ("b", -2.0), ("c", -3.0))
    found = await score("abc", "prompt", lambda _: completion("!", prompt_logprobs=tokens), max_tokens=2)
    assert [token.text for token in found.tokens] == ["a", "b"]


async def test_a_server_that_obeys_grammars_generates_the_reply() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        return completion('say "no"', [("say", -0.5), (' "no"', -1.5), ("", -0.1)])

    found = await score('say "no"', "forced", answer, max_tokens=7)
    assert [(token.text, token.logprob) for token in found.tokens] == [("say", -0.5), (' "no"', -1.5)]
    assert seen[0]["grammar"] == 'root ::= "say \\"no\\""'
    assert (seen[0]["max_completion_tokens"], seen[0]["logprobs"]) == (7, True)


@pytest.mark.parametrize("way", ["prompt", "forced"])
@pytest.mark.parametrize("logprobs", [None, [("Something", -0.1), (" else", -0.1)]])
async def test_a_server_that_can_do_neither_says_so(way: Way, logprobs: list[tuple[str, float]] | None) -> None:
    found = await score("In 1874", way, lambda _: completion("Something else", logprobs))
    assert found.unsupported
    assert found.tokens == ()
    assert found.failure
    assert found.call.usage.input_tokens == 30


@pytest.mark.parametrize("way", ["prompt", "forced"])
@pytest.mark.parametrize(("status", "refused"), [(400, True), (403, True), (422, True), (429, False), (500, False)])
async def test_a_refusal_is_told_from_a_breakdown(way: Way, status: int, refused: bool) -> None:
    with answering(lambda _: (status, {"error": {"message": "secret prompt"}})) as url:
        target = NamedModel(label="vllm:m", model=openai_model(url))
        found = [
            await ascore_reply(target, ASKED, "x", way=way, max_tokens=8, stage="verify"),
            score_reply(target, ASKED, "x", way=way, max_tokens=8, stage="verify"),
        ]
    for scored in found:
        assert (scored.tokens, scored.unsupported, scored.refused) == ((), False, refused)
        assert str(status) in str(scored.failure)
        assert str(status) in str(scored.call.error)
        assert "secret" not in str(scored.failure)


@pytest.mark.parametrize("shown", ["text", {"1": {}}, {"1": "x"}, {"1": {"logprob": "x", "decoded_token": "x"}}, 7])
async def test_log_probabilities_of_another_shape_are_a_failure_that_is_charged(shown: Any) -> None:
    found = await score("x", "prompt", lambda _: completion("!", prompt_logprobs=[None, shown]))
    assert (found.tokens, found.unsupported) == ((), True)
    assert found.call.usage.input_tokens == 30


@pytest.mark.parametrize("reply", ["a\0b", "a\udc00b"])
@pytest.mark.parametrize("way", ["prompt", "forced"])
async def test_what_cannot_be_sent_is_replaced(reply: str, way: Way) -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        tokens = [("a", -1.0), ("\ufffd", -2.0), ("b", -3.0)]
        return completion("a\ufffdb", tokens, prompt_logprobs=prompt_logprobs(*tokens))

    found = await score(reply, way, answer)
    assert [token.logprob for token in found.tokens] == [-1.0, -2.0, -3.0]
    said = seen[0]["grammar"] if way == "forced" else seen[0]["messages"][-1]["content"]
    assert "a\ufffdb" in said


@pytest.mark.parametrize("way", ["prompt", "forced"])
async def test_only_the_beginning_of_a_long_reply_is_sent(way: Way) -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        return completion(
            "x" * 4, [("xx", -1.0), ("xx", -1.0)], prompt_logprobs=prompt_logprobs(*[("x" * 16, -1.0)] * 4)
        )

    found = await score("x" * 1_000_000, way, answer, max_tokens=2)
    assert len(found.tokens) == 2
    assert len(json.dumps(seen[0])) < 1000


@given(st.text(min_size=1, max_size=30), st.data())
def test_any_cut_of_any_text_is_found(text: str, data: st.DataObject) -> None:
    whole = text.encode("utf-8", "surrogatepass")
    places = sorted(data.draw(st.sets(st.integers(1, len(whole)), max_size=12)) - {len(whole)})
    parts = [whole[start:end] for start, end in itertools.pairwise([0, *places, len(whole)])]
    tokens = [ScoredToken(text=part.decode("utf-8", "replace"), logprob=-float(n)) for n, part in enumerate(parts)]
    if "\ufffd" not in text and "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        before = ScoredToken(text="assistant\n\n#", logprob=-9.0)
        found = spelling_tail([None, before, *tokens], text)
        assert found[-len(tokens) :] == tuple(tokens)
        assert len(found) == len(tokens) or text.startswith("#")


def test_a_long_text_of_cut_characters_is_found_soon() -> None:
    lost = [ScoredToken(text="\ufffd", logprob=-1.0)] * 3
    reply = [*lost, ScoredToken(text="x", logprob=-1.0)] * 500
    assert len(spelling_tail([ScoredToken(text="?", logprob=0.0), *reply], "🙂x" * 500)) == 2000
    assert spelling_tail([ScoredToken(text="?", logprob=0.0), *reply], "🙂y" + "🙂x" * 499) == ()


def test_which_models_can_be_tried() -> None:
    assert ways_of(openai_model("http://127.0.0.1:9/v1")) == ("prompt", "forced")
    assert ways_of(ScriptedChatModel([])) == ()
    assert ways_of(ChatOpenAI(model="m", api_key="none", http_socket_options=())) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ['a "b" \\n', "多行\n文本\t。", "tab\x08\x0c|::= root"])
def test_a_literal_is_read_back_as_the_text(text: str) -> None:
    escapes = {"\\x08": "\\b", "\\x0C": "\\f"}
    written = literal(text)
    for one, other in escapes.items():
        written = written.replace(one, other)
    assert json.loads(written) == text


@pytest.mark.parametrize("door", ["sync", "async"])
@pytest.mark.parametrize(
    ("knows", "asked"),
    [("prompt", ["prompt", "prompt"]), ("forced", ["prompt", "forced", "forced"]), ("", ["prompt", "forced"] * 2)],
)
@pytest.mark.parametrize("status", [200, 400])
async def test_a_likelihood_finds_out_what_a_server_can_do(
    door: str, knows: str, asked: list[str], status: int
) -> None:
    seen: list[str] = []

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        seen.append("forced" if "grammar" in request else "prompt")
        tokens = [("18", -0.5), ("74", -0.5)]
        if seen[-1] == knows:
            return 200, completion("1874", tokens, prompt_logprobs=prompt_logprobs(*tokens))
        return status, completion("Something else") if status == 200 else {"error": {"message": "secret"}}

    case = Case(question="When?", passages=(), answer="1874", prompts=load_prompts("en"))
    with answering(answer) as url:
        verifier = Likelihood(judge=NamedModel(label="judge", model=openai_model(url)))
        found = [verifier.verify(case) if door == "sync" else await verifier.averify(case) for _ in range(2)]
    # A server that answers, but knows neither way, is known by that; refusals may have been about the prompt.
    assert seen == (["prompt", "forced"] if not knows and status == 200 else asked)
    assert sum(len(judgement.calls) for judgement in found) == len(seen)
    for judgement in found:
        assert (judgement.verification.confidence is not None) is bool(knows)
        assert knows or "score a given text" in str(judgement.verification.failure)
