"""Why a request gets no answer: one error type, in the shape that OpenAI's clients understand.

No message here repeats a provider's words, a document, a draft or a question.
"""

from __future__ import annotations

from typing import Any, Literal

from automix_graph.errors import ModelCallError

Kind = Literal["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]


class RequestFailed(Exception):
    """A request that ends without an answer.

    Attributes:
        status: of HTTP.
        kind: OpenAI's ``type``.
        code: for programs.
        message: for people.
        param: the field of the request that is to blame.
        headers: of the response.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: Kind,
        code: str,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the body of the response.

        Example:
            >>> invalid("messages is empty", param="messages").body()["error"]["type"]
            'invalid_request_error'
        """
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def invalid(message: str, *, param: str | None = None, code: str = "invalid_value") -> RequestFailed:
    """Return the failure of a request that cannot be used as given."""
    return RequestFailed(message, status=400, kind="invalid_request_error", code=code, param=param)


def too_large(message: str, *, param: str | None = None, code: str) -> RequestFailed:
    """Return the failure of a request that exceeds a limit of size."""
    return RequestFailed(message, status=413, kind="invalid_request_error", code=code, param=param)


def unknown_model(name: str, known: list[str]) -> RequestFailed:
    """Return the failure of a request for a model that is not served."""
    return RequestFailed(
        f"The model {name[:100]!r} does not exist; this server has {', '.join(known)}",
        status=404,
        kind="invalid_request_error",
        code="model_not_found",
        param="model",
    )


def too_busy(retry_after: int) -> RequestFailed:
    """Return the failure of a request that came while all places were taken."""
    return RequestFailed(
        "The server works on as many questions as it may; try again later",
        status=429,
        kind="rate_limit_error",
        code="too_many_requests",
        headers={"retry-after": str(retry_after)},
    )


def too_slow() -> RequestFailed:
    """Return the failure of a request whose body did not arrive in time."""
    message = "The body of the request did not arrive in time"
    return RequestFailed(message, status=408, kind="invalid_request_error", code="request_timeout")


def too_late(seconds: float) -> RequestFailed:
    """Return the failure of a request whose deadline passed."""
    return RequestFailed(
        f"There was no answer within {seconds:g} seconds", status=504, kind="server_error", code="deadline_exceeded"
    )


def shutting_down(retry_after: int) -> RequestFailed:
    """Return the failure of a request that was still in work when the time was over in which the server had to end."""
    return RequestFailed(
        "The server is shutting down; ask again",
        status=503,
        kind="server_error",
        code="shutting_down",
        headers={"retry-after": str(retry_after)},
    )


def interrupted() -> RequestFailed:
    """Return the failure of a stream whose first words turned out not to be the answer."""
    return RequestFailed(
        "The large model failed in the middle of its answer; what was streamed so far is not the answer. Ask again",
        status=502,
        kind="server_error",
        code="answer_interrupted",
    )


def failure_of(error: Exception) -> RequestFailed:
    """Return what an exception of the graph is to a client."""
    if isinstance(error, RequestFailed):
        return error
    if isinstance(error, ModelCallError):
        status = "" if error.status is None else f" (its provider answered {error.status})"
        return RequestFailed(
            f"The model {error.model} failed in {error.stage}{status}",
            status=502,
            kind="server_error",
            code="model_error",
        )
    return RequestFailed("The server failed", status=500, kind="server_error", code="internal_error")
