"""What exceptions of providers mean, told by what they carry: no provider's package is imported here."""

import email.utils
import socket
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.models.calling import map_error
from automix_graph.models.failures import (
    CircuitOpenError,
    UnusableReplyError,
    is_failure,
    kind_of,
)
from automix_graph.models.provider_errors import asked_wait, read_failure


class ProviderError(Exception):
    """An exception as openai, anthropic, boto and google make them: what it is shows in its attributes."""

    def __init__(self, message: object = "PROVIDER-WORDS", **attributes: Any) -> None:
        super().__init__(message)
        for name, value in attributes.items():
            setattr(self, name, value)


class Response:
    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "bad_request", False),
        (401, "authentication", False),
        (402, "out_of_quota", False),
        (403, "authentication", False),
        (404, "bad_request", False),
        (405, "bad_request", False),
        (408, "timeout", True),
        (409, "overloaded", True),
        (413, "context_overflow", False),
        (422, "bad_request", False),
        (425, "overloaded", True),
        (429, "rate_limited", True),
        (499, "bad_request", False),
        (500, "overloaded", True),
        (501, "bad_request", False),
        (502, "overloaded", True),
        (503, "overloaded", True),
        (504, "timeout", True),
        (505, "bad_request", False),
        (520, "overloaded", True),
        (529, "overloaded", True),
    ],
)
def test_a_status_says_what_it_was(status: int, kind: str, retryable: bool) -> None:
    found = read_failure(ProviderError(status_code=status))
    assert (found.kind, found.status, found.retryable) == (kind, status, retryable)


@given(st.integers(400, 599))
def test_what_the_caller_did_wrong_is_never_retried(status: int) -> None:
    found = read_failure(ProviderError(status_code=status))
    assert found.retryable == (status in {408, 409, 425, 429} or (status >= 500 and status not in {501, 505}))


@pytest.mark.parametrize(
    "error",
    [
        ProviderError(http_status=503),
        ProviderError(code=HTTPStatus.SERVICE_UNAVAILABLE),
        ProviderError(response=httpx.Response(503)),
        ProviderError(response={"ResponseMetadata": {"HTTPStatusCode": 503}}),
        ProviderError(body={"error": {"code": 503}}),
        ValueError({"message": "PROVIDER-WORDS", "code": 503}),
    ],
)
def test_a_status_is_found_wherever_it_stands(error: Exception) -> None:
    assert (read_failure(error).kind, read_failure(error).status) == ("overloaded", 503)


@pytest.mark.parametrize("status", [True, 200, 302, 999, "503", None, 42])
def test_what_is_no_status_of_a_failure_is_not_taken_for_one(status: object) -> None:
    assert read_failure(ProviderError(status_code=status)).status is None


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"status_code": 429, "code": "insufficient_quota"}, "out_of_quota"),
        ({"status_code": 429, "type": "insufficient_quota", "code": None}, "out_of_quota"),
        ({"status_code": 429, "body": {"error": {"type": "insufficient_quota"}}}, "out_of_quota"),
        ({"status_code": 400, "code": "context_length_exceeded"}, "context_overflow"),
        ({"status_code": 400, "code": "content_filter"}, "content_filter"),
        ({"status_code": 400, "body": {"code": "content_policy_violation"}}, "content_filter"),
    ],
)
def test_a_code_says_more_than_its_status(attributes: dict[str, Any], kind: str) -> None:
    found = read_failure(ProviderError(**attributes))
    assert (found.kind, found.retryable, found.status) == (kind, False, attributes["status_code"])


@pytest.mark.parametrize(
    ("attributes", "kind", "retryable"),
    [
        ({"type": "overloaded_error"}, "overloaded", True),
        ({"code": "rate_limit_exceeded"}, "rate_limited", True),
        ({"body": {"error": {"type": "invalid_request_error"}}}, "bad_request", False),
        ({"response": {"Error": {"Code": "ThrottlingException"}}}, "rate_limited", True),
        ({"body": {"status": "RESOURCE_EXHAUSTED"}}, "rate_limited", True),
    ],
)
def test_without_a_status_a_code_decides(attributes: dict[str, Any], kind: str, retryable: bool) -> None:
    found = read_failure(ProviderError(**attributes))
    assert (found.kind, found.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelRateLimitError(), "rate_limited"),
        (ModelAPIError(), "overloaded"),
        (ModelConnectionError(), "connection"),
        (ModelTimeoutError(), "timeout"),
        (ModelAuthenticationError(), "authentication"),
        (ModelPermissionDeniedError(), "authentication"),
        (ModelInvalidRequestError(), "bad_request"),
        (ModelNotFoundError(), "bad_request"),
        (ContextOverflowError(), "context_overflow"),
    ],
)
def test_langchains_own_errors_are_told_by_their_class(error: ModelError, kind: str) -> None:
    assert (read_failure(error).kind, read_failure(error).retryable) == (kind, error.is_retryable)


def test_a_model_error_of_a_new_kind_says_itself_whether_it_passes() -> None:
    class Melted(ModelError):
        is_retryable = True

    assert read_failure(Melted()).retryable
    assert not read_failure(ModelError()).retryable


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (httpx.ReadTimeout("x"), "timeout"),
        (httpx.ConnectError("x"), "connection"),
        (httpx.RemoteProtocolError("x"), "connection"),
        (ConnectionResetError(), "connection"),
        (socket.gaierror(), "connection"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "malformed_reply"),
        (ValueError("Expecting value"), "malformed_reply"),
        (IndexError("list index out of range"), "malformed_reply"),
        (TypeError("Received response with null value for 'choices'."), "malformed_reply"),
        (TypeError("'NoneType' object is not subscriptable"), "malformed_reply"),
        (CircuitOpenError(), "circuit_open"),
        (UnusableReplyError("empty_answer"), "empty_answer"),
    ],
)
def test_what_may_pass_without_a_status(error: Exception, kind: str) -> None:
    assert (read_failure(error).kind, read_failure(error).retryable) == (kind, True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TypeError("create() got an unexpected keyword argument 'logprobs'"), "bad_request"),
        (RuntimeError("anything"), "unknown"),
        (ConfigurationError("a ValueError of this package"), "unknown"),
        (UnusableReplyError("refusal"), "refusal"),
        (UnusableReplyError("too_long"), "too_long"),
    ],
)
def test_what_will_not_pass_without_a_status(error: Exception, kind: str) -> None:
    assert (read_failure(error).kind, read_failure(error).retryable) == (kind, False)


def test_a_provider_may_say_not_to_come_back_but_not_that_a_bad_request_is_good() -> None:
    assert not read_failure(ProviderError(status_code=429, response=Response(X_Should_Retry="False"))).retryable
    assert not read_failure(ProviderError(status_code=400, response=Response(X_Should_Retry="true"))).retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, float("inf")),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": email.utils.formatdate(1000, usegmt=True)}, 40.0),
        ({"retry-after": email.utils.formatdate(900, usegmt=True)}, 0.0),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
    ],
)
def test_what_a_server_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, now=960) == seconds


@given(st.text(max_size=30))
def test_no_header_is_an_error(text: str) -> None:
    wait = asked_wait({"retry-after": text, "retry-after-ms": text})
    assert wait is None or wait >= 0


def test_headers_are_found_whatever_their_case() -> None:
    for response in (httpx.Response(429, headers={"Retry-After": "7"}), Response(Retry_After="7")):
        assert read_failure(ProviderError(status_code=429, response=response)).wait == 7.0
    botos = {"ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"retry-after": "7"}}}
    assert read_failure(ProviderError(response=botos)).wait == 7.0


def test_an_exception_whose_attributes_raise_is_read_all_the_same() -> None:
    class Rude(Exception):
        @property
        def response(self) -> None:
            raise RuntimeError("there is none")

    assert read_failure(Rude()).kind == "unknown"


def test_the_public_error_says_the_kind_and_nothing_of_the_provider() -> None:
    cause = ProviderError("sk-KEY and a whole prompt", status_code=429)
    error = map_error(cause, model="m", stage="verify")
    assert str(error) == "m failed in verify: ProviderError (429): rate limited"
    assert (error.status, error.retryable, error.__cause__) == (429, True, cause)
    empty = map_error(UnusableReplyError("empty_answer"), model="m", stage="large_answer")
    assert (str(empty), empty.__cause__) == ("m failed in large_answer: empty answer", None)
    again = map_error(ModelCallError("SECRET", model="l", stage="s", status=500, retryable=True), model="m", stage="x")
    assert (str(again), again.status, again.retryable) == ("m failed in x: ModelCallError", 500, True)


def test_mistakes_are_no_failures() -> None:
    assert not any(is_failure(error) for error in (AssertionError(), NameError(), NotImplementedError()))
    assert is_failure(TypeError())
    assert kind_of(CircuitOpenError()) == "circuit open"
