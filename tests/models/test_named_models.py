"""Models under a name: who retries their calls, and what cannot be one."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from scripted_targets import AT_ONCE, scripted

from automix_graph.errors import ConfigurationError
from automix_graph.models import resolve_chat_model
from automix_graph.models.calling import named
from automix_graph.models.chat import retries_itself
from automix_graph.models.retrying import ONCE, Retries
from automix_graph.testing import ScriptedChatModel


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def client_retries(model: BaseChatModel) -> int:
    assert isinstance(model, ChatOpenAI)
    return int(model.root_client.max_retries)


def test_a_model_made_from_its_name_is_retried_in_one_place(key: None) -> None:
    by_name = named("openai:gpt-5")
    assert by_name.retries == Retries()
    assert client_retries(by_name.model) == 0
    own = Retries(attempts=7)
    assert named("openai:gpt-5", retries=own).retries == own
    assert client_retries(resolve_chat_model("openai:gpt-5")) > 0, "who retries nothing keeps the provider's"


@pytest.mark.parametrize("setting", [None, 2])
def test_a_model_that_retries_by_itself_is_asked_once_whatever_is_said(key: None, setting: int | None) -> None:
    model = ChatOpenAI(model="m", max_retries=setting)
    assert retries_itself(model)
    assert named(model).retries == ONCE
    told = named(model, retries=Retries(attempts=7, opens_after=4))
    assert (told.retries.attempts, told.retries.opens_after) == (1, 4)
    assert told.model is model


def test_a_model_that_does_not_is_retried_if_that_is_said(key: None) -> None:
    for model in (ChatOpenAI(model="m", max_retries=0), ScriptedChatModel([])):
        assert not retries_itself(model)
        assert named(model).retries == ONCE
        assert named(model, retries=Retries(attempts=7)).retries.attempts == 7


def test_a_model_with_its_label_is_taken_as_it_is() -> None:
    target = scripted()
    assert named(target, retries=Retries()) is target
    spare = ScriptedChatModel([], label="spare")
    with_spare = named(target, retries=AT_ONCE, fallbacks=[spare])
    assert (with_spare.retries, with_spare.breaker) == (target.retries, target.breaker)
    assert [(one.label, one.retries) for one in with_spare.fallbacks] == [("spare", AT_ONCE)]


def test_what_cannot_be_a_named_model_is_refused() -> None:
    nested = scripted(label="b", fallbacks=(scripted(label="c"),))
    with pytest.raises(ConfigurationError, match=r"the fallbacks \['b'\] of a have fallbacks of their own"):
        scripted(label="a", fallbacks=(nested,))
    for longest in (0, -1, True, 2.5):
        with pytest.raises(ConfigurationError, match="number of characters above 0"):
            scripted(longest_reply=longest)
