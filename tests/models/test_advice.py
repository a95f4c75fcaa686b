"""What is said about a failed call: what to do, where it was asked, and nothing that is secret."""

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage
from openai_api import answering, openai_model

from automix_graph.models.advice import advice_on
from automix_graph.models.calling import call_model, map_error
from automix_graph.models.failures import Failure, FailureKind
from automix_graph.models.named import NamedModel
from automix_graph.models.provider_errors import asked_address
from automix_graph.models.retrying import ONCE

SECRET = "https://user:s3cret@models.example:8443/tenant-token/v1?key=k3y"


def failed(url: str, label: str = "openai:m") -> str:
    attempt = call_model(
        NamedModel(label=label, model=openai_model(url), retries=ONCE), [HumanMessage("When?")], stage="small_answer"
    )
    return str(attempt.error)


@pytest.mark.parametrize(
    ("status", "label", "message"),
    [
        (
            401,
            "openai:gpt-5",
            "OpenAIAuthenticationError (401): authentication; the key was not accepted: set OPENAI_API_KEY to one that "
            "may use this model",
        ),
        (
            403,
            "mine",
            "OpenAIPermissionDeniedError (403): authentication; the key in the provider's variable for keys may not "
            "use this model, or not with every option that it was asked with",
        ),
        (
            404,
            "openai:gpt-6",
            "OpenAIModelNotFoundError (404): bad request; {address} knows no such model or path: compare the name of "
            "the model, and its address if it has one",
        ),
        (
            422,
            "openai:m",
            "UnprocessableEntityError (422): bad request; the provider refuses such a request: mostly an option that "
            "this model does not take",
        ),
        (
            402,
            "openai:m",
            "APIStatusError (402): out of quota; the credit or quota of the account is used up",
        ),
        (429, "openai:m", "OpenAIRateLimitError (429): rate limited"),
    ],
)
def test_a_provider_that_refuses(status: int, label: str, message: str) -> None:
    with answering(lambda asked: (status, {"error": {"message": "PROVIDER-WORDS"}})) as url:
        address = url.removeprefix("http://").removesuffix("/v1")
        assert failed(url, label) == f"{label} failed in small_answer: {message.format(address=address)}"


def test_a_server_that_is_down_is_named() -> None:
    with answering(lambda asked: (200, {})) as url:
        address = url.removeprefix("http://").removesuffix("/v1")
    assert failed(url) == (
        "openai:m failed in small_answer: OpenAIConnectionError: connection; there is no connection to "
        f"{address}: is its address right, and can it be reached from here?"
    )


def test_an_address_is_host_and_port_and_no_more() -> None:
    error = openai.APIConnectionError(request=httpx.Request("POST", SECRET))
    assert asked_address(error) == "models.example:8443"
    assert asked_address(openai.APIConnectionError(request=httpx.Request("POST", "https://h/v1"))) == "h"
    told = str(map_error(error, model="openai:m", stage="verify"))
    assert "models.example:8443" in told
    assert not [word for word in ("s3cret", "user", "tenant", "k3y") if word in told]


class Odd(Exception):
    request: object = None


@pytest.mark.parametrize("url", [None, "", "nonsense", "http://[::1", "http://h:port/", 7])
def test_what_is_no_address_is_not_told(url: object) -> None:
    error = Odd()
    error.request = type("Request", (), {"url": url})
    assert asked_address(error) is None
    assert asked_address(Odd()) is None
    assert asked_address(httpx.ConnectError("no request is set")) is None


@pytest.mark.parametrize(
    "kind",
    ["rate_limited", "overloaded", "timeout", "empty_answer", "refusal", "limit_reached", "circuit_open", "unknown"],
)
def test_where_there_is_nothing_to_do_nothing_is_advised(kind: FailureKind) -> None:
    assert advice_on(Failure(kind=kind), model="openai:m", address="h") is None


def test_a_prompt_that_is_too_long_is_told_what_shortens_it() -> None:
    told = advice_on(Failure(kind="context_overflow"), model="m", address=None)
    assert told == "the prompt is longer than the model reads: give it fewer or shorter passages"
