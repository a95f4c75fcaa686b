"""What an exception of a model call means: its kind, whether the same call may succeed later, and when.

Providers' packages are known by what their exceptions carry (a status, a code, headers, the names of their classes) and
are never imported. A provider's own words decide about nothing but codes, and are never repeated: they may hold a
prompt. This is the one place where provider errors are read.
"""

from __future__ import annotations

import email.utils
import math
import re
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

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

from automix_graph.errors import AutomixError, LimitReachedError, ModelCallError
from automix_graph.models.failures import PASSING, CircuitOpenError, Failure, FailureKind, UnusableReplyError

_FIRST_SERVER_ERROR: Final = 500
_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    401: "authentication",
    402: "out_of_quota",
    403: "authentication",
    407: "authentication",
    408: "timeout",
    409: "overloaded",  # a conflict with another request, which ends
    413: "context_overflow",
    425: "overloaded",
    429: "rate_limited",
    501: "bad_request",
    504: "timeout",
    505: "bad_request",
}
"""What else is below 500 is a bad request; what else is not, an overloaded server."""

_BY_CODE: Final[Mapping[str, FailureKind]] = {
    "insufficient_quota": "out_of_quota",
    "billing_hard_limit_reached": "out_of_quota",
    "billing_not_active": "out_of_quota",
    "billing_error": "out_of_quota",
    "context_length_exceeded": "context_overflow",
    "string_above_max_length": "context_overflow",
    "request_too_large": "context_overflow",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
}
"""Codes that say more than the status they come with."""

_BY_CODE_ALONE: Final[Mapping[str, FailureKind]] = {
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "resource_exhausted": "rate_limited",
    "throttlingexception": "rate_limited",
    "server_error": "overloaded",
    "internal_server_error": "overloaded",
    "internal_error": "overloaded",
    "api_error": "overloaded",
    "overloaded": "overloaded",
    "overloaded_error": "overloaded",
    "service_unavailable": "overloaded",
    "unavailable": "overloaded",
    "timeout": "timeout",
    "timeout_error": "timeout",
    "deadline_exceeded": "timeout",
    "authentication_error": "authentication",
    "invalid_api_key": "authentication",
    "permission_error": "authentication",
    "invalid_request_error": "bad_request",
    "invalid_argument": "bad_request",
    "not_found_error": "bad_request",
    "model_not_found": "bad_request",
}
"""Codes of errors without a status: those in the middle of a stream, or in a body that came with status 200."""

_BY_CLASS: Final[tuple[tuple[type[Exception], FailureKind], ...]] = (
    (ContextOverflowError, "context_overflow"),
    (ModelRateLimitError, "rate_limited"),
    (ModelTimeoutError, "timeout"),
    (ModelConnectionError, "connection"),
    (ModelAPIError, "overloaded"),
    (ModelAuthenticationError, "authentication"),
    (ModelPermissionDeniedError, "authentication"),
    (ModelNotFoundError, "bad_request"),
    (ModelInvalidRequestError, "bad_request"),
    (TimeoutError, "timeout"),
    (ConnectionError, "connection"),
    (socket.gaierror, "connection"),
)

_BY_NAME: Final[Mapping[str, FailureKind]] = {
    "APITimeoutError": "timeout",
    "TimeoutException": "timeout",  # of httpx
    "Timeout": "timeout",  # of requests
    "ServerTimeoutError": "timeout",
    "APIConnectionError": "connection",
    "TransportError": "connection",  # of httpx
    "ClientConnectionError": "connection",
    "ClientPayloadError": "connection",
    "ChunkedEncodingError": "connection",
    "IncompleteRead": "connection",
    "APIResponseValidationError": "malformed_reply",
    "ContentFilterFinishReasonError": "content_filter",
    "LengthFinishReasonError": "cut_off",
    "OpenAIRefusalError": "refusal",
}
"""Names of classes, of the exception or of what it inherits from, where the class tells most."""

_MISREAD: Final = (ValueError, TypeError, AttributeError, LookupError)
"""What readers of replies raise that are not what they should be."""

_WRONG_REPLY: Final = re.compile(r"^Received response|object is not (?:subscriptable|iterable)|^argument of type")
"""What a TypeError says that a reply gave rise to; others are about the options of the call."""


def read_failure(error: Exception) -> Failure:
    """Return what an exception of a model call means.

    Example:
        >>> read_failure(ConnectionResetError("by peer"))
        Failure(kind='connection', status=None, retryable=True, wait=None)
        >>> read_failure(ValueError({"code": 429, "message": "slow down"})).kind
        'rate_limited'
    """
    if isinstance(error, UnusableReplyError | CircuitOpenError):
        return error.failure
    if isinstance(error, LimitReachedError):
        return Failure(kind="limit_reached")
    if isinstance(error, ModelCallError):
        return Failure(kind="unknown", status=error.status, retryable=error.retryable)
    status, headers = _status(error), _headers(error)
    kind = _kind(error, status)
    told_not_to = headers.get("x-should-retry", "").lower() == "false"
    passing = kind in PASSING or (kind == "unknown" and isinstance(error, ModelError) and error.is_retryable)
    return Failure(kind=kind, status=status, retryable=passing and not told_not_to, wait=asked_wait(headers))


def asked_wait(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return the seconds after which a server asks to be called again; None where it does not say, or unreadably.

    Args:
        headers: of its response, by name in small letters: ``retry-after-ms``, or ``retry-after`` with seconds or a
            date (RFC 9110, section 10.2.3).
        now: seconds since 1970; None asks the clock.

    Example:
        >>> asked_wait({"retry-after": "7"}), asked_wait({"retry-after-ms": "250"}), asked_wait({"retry-after": "soon"})
        (7.0, 0.25, None)
        >>> asked_wait({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=45)
        15.0
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return max(0.0, seconds / unit)
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, date.timestamp() - (time.time() if now is None else now))
    except (ValueError, OverflowError, OSError):
        return None


def asked_address(error: Exception) -> str | None:
    """Return the host, and the port if it was named, that a failed request went to; None where that is not told.

    Example:
        >>> import httpx
        >>> asked_address(httpx.ConnectError("refused", request=httpx.Request("POST", "http://me:secret@[::1]:8001/v1")))
        '[::1]:8001'
    """
    url = _attribute(_attribute(error, "request"), "url")
    try:
        parts = urlsplit(str(url or ""))
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _kind(error: Exception, status: int | None) -> FailureKind:
    codes = [code.lower() for code in _codes(error)]
    found: FailureKind | None = _first(_BY_CODE, codes)
    if found is None and isinstance(error, ContextOverflowError):
        found = "context_overflow"
    if found is None and status is not None:
        found = _BY_STATUS.get(status, "overloaded" if status >= _FIRST_SERVER_ERROR else "bad_request")
    found = found or next((kind for known, kind in _BY_CLASS if isinstance(error, known)), None)
    found = found or _first(_BY_NAME, [known.__name__ for known in type(error).__mro__])
    return found or _first(_BY_CODE_ALONE, codes) or _misread(error)


def _misread(error: Exception) -> FailureKind:
    if isinstance(error, AutomixError | ModelError) or not isinstance(error, _MISREAD):
        return "unknown"
    no_such_option = isinstance(error, TypeError) and not _WRONG_REPLY.search(str(error))
    return "bad_request" if no_such_option else "malformed_reply"


def _first(known: Mapping[str, FailureKind], names: list[str]) -> FailureKind | None:
    return next((known[name] for name in names if name in known), None)


def _status(error: Exception) -> int | None:
    """Return the status of HTTP that an exception carries: itself, its response, or the body that it was made of."""
    response = _attribute(error, "response")
    found = [_attribute(error, name) for name in ("status_code", "http_status", "status", "code")]
    found.append(_attribute(response, "status_code"))
    if isinstance(response, Mapping):  # of botocore
        found.append(_item(response.get("ResponseMetadata"), "HTTPStatusCode"))
    found += [_item(body, "code") for body in _bodies(error)]
    return next((int(one) for one in found if _is_status(one)), None)


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600


def _codes(error: Exception) -> Iterator[str]:
    response = _attribute(error, "response")
    found = [_attribute(error, "code"), _attribute(error, "type")]
    found += [_item(body, name) for body in _bodies(error) for name in ("code", "type", "status")]
    found.append(_item(_item(response, "Error"), "Code"))
    yield from (code for code in found if isinstance(code, str))


def _bodies(error: Exception) -> Iterator[Mapping[Any, Any]]:
    """Yield the error objects of a provider's response that an exception carries."""
    for body in (_attribute(error, "body"), error.args[0] if error.args else None):
        if isinstance(body, Mapping):
            yield body
            if isinstance(inner := body.get("error"), Mapping):
                yield inner


def _headers(error: Exception) -> dict[str, str]:
    response = _attribute(error, "response")
    headers = _attribute(response, "headers")
    if isinstance(response, Mapping):
        headers = _item(response.get("ResponseMetadata"), "HTTPHeaders")
    return {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def _item(mapping: object, name: str) -> Any:
    return mapping.get(name) if isinstance(mapping, Mapping) else None


def _attribute(value: object, name: str) -> Any:
    """Return an attribute; None where there is none, or asking for it raises, as some of httpx's do."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None
