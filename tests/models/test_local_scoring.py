"""The probability of a given reply, by the embedded chat model for real."""

from __future__ import annotations

import math

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from automix_graph.models.calling import NamedModel
from automix_graph.models.scoring import score_reply

pytestmark = pytest.mark.local


@pytest.mark.parametrize("reply", ["Paris.", 'The "capital"\nis {Paris}.', "答案是巴黎。"])
def test_a_forced_reply_is_scored_whole(local_chat: BaseChatModel, reply: str) -> None:
    target = NamedModel(label="local", model=local_chat)
    asked = [HumanMessage("What is the capital of France?")]
    found = score_reply(target, asked, reply, way="forced", max_tokens=32, stage="verify")
    assert "".join(token.text for token in found.tokens) == reply
    assert all(token.logprob <= 0 for token in found.tokens)


def test_what_the_model_would_say_is_likelier(local_chat: BaseChatModel) -> None:
    target = NamedModel(label="local", model=local_chat)
    asked = [HumanMessage("What is the capital of France?")]
    own = local_chat.bind(max_tokens=6).invoke(asked).text
    means = []
    for reply in (own, "Bananas are yellow."):
        found = score_reply(target, asked, reply, way="forced", max_tokens=6, stage="verify")
        means.append(math.fsum(token.logprob for token in found.tokens) / len(found.tokens))
    assert means[0] > means[1]


def test_the_probabilities_are_those_without_the_grammar(local_chat: BaseChatModel) -> None:
    asked = [HumanMessage("What is the capital of France?")]
    free = local_chat.bind(max_tokens=4, logprobs=True).invoke(asked)
    content = free.response_metadata["logprobs"]["content"]
    reply = "".join(token["token"] for token in content)
    target = NamedModel(label="local", model=local_chat)
    found = score_reply(target, asked, reply, way="forced", max_tokens=4, stage="verify")
    assert [token.logprob for token in found.tokens] == pytest.approx([c["logprob"] for c in content], abs=0.05)
