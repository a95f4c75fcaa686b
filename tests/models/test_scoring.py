"""The probability of a given reply, with servers that report prompts, that obey grammars, and that do neither."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai_api import answering, openai_model

from automix_graph.models.calling import NamedModel
from automix_graph.models.scoring import Scored, Way, ascore_reply, literal, score_reply, ways_of
from automix_graph.testing import ScriptedChatModel

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


@pytest.mark.parametrize(("status", "unsupported"), [(400, True), (422, True), (429, False), (500, False)])
async def test_a_refusal_is_told_from_a_breakdown(status: int, unsupported: bool) -> None:
    with answering(lambda _: (status, {"error": {"message": "secret prompt"}})) as url:
        target = NamedModel(label="vllm:m", model=openai_model(url))
        found = await ascore_reply(target, ASKED, "x", way="prompt", max_tokens=8, stage="verify")
        assert found == score_reply(target, ASKED, "x", way="prompt", max_tokens=8, stage="verify").__class__(
            call=found.call, failure=found.failure, unsupported=unsupported
        )
    assert str(status) in str(found.failure)
    assert "secret" not in str(found.failure)


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
