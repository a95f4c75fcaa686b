"""What is a failure of a model and what is not, of which kinds there are, and what may be told of one.

This module knows no provider; what their exceptions mean is read in `automix_graph.models.provider_errors`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from automix_graph.errors import AutomixError, LimitReachedError, ModelCallError
from automix_graph.records import Usage

FailureKind = Literal[
    "rate_limited",
    "overloaded",
    "timeout",
    "connection",
    "malformed_reply",
    "empty_answer",
    "circuit_open",
    "limit_reached",
    "out_of_quota",
    "authentication",
    "bad_request",
    "context_overflow",
    "content_filter",
    "refusal",
    "cut_off",
    "too_long",
    "unknown",
]
"""Why a call failed; the first seven may pass, the others will not by themselves."""

PASSING: Final[frozenset[FailureKind]] = frozenset(
    {"rate_limited", "overloaded", "timeout", "connection", "malformed_reply", "empty_answer", "circuit_open"}
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What an exception of a model call means.

    Attributes:
        kind: why the call failed.
        status: of HTTP; None where there was none.
        retryable: whether the same call may succeed later.
        wait: seconds after which the provider asks to be called again, 0 or more; None where it does not say.
    """

    kind: FailureKind
    status: int | None = None
    retryable: bool = False
    wait: float | None = None

    @property
    def words(self) -> str:
        """The kind, for people."""
        return self.kind.replace("_", " ")


class UnusableReplyError(Exception):
    """A reply that came and is of no use.

    It does not hold the reply: that may be long, and nobody should read it.

    Attributes:
        failure: what is wrong with it.
        usage: the tokens that it cost, as reported.
    """

    def __init__(self, kind: FailureKind, usage: Usage | None = None) -> None:
        self.failure = Failure(kind=kind, retryable=kind in PASSING)
        self.usage = usage or Usage()
        super().__init__(self.failure.words)


class CircuitOpenError(Exception):
    """A call that was not made, since calls to the model have kept failing.

    Attributes:
        failure: of kind ``circuit_open``.
    """

    def __init__(self) -> None:
        self.failure = Failure(kind="circuit_open", retryable=True)
        super().__init__(self.failure.words)


def is_failure(error: Exception) -> bool:
    """Return whether an exception means that a model or a verifier failed.

    Mistakes in code do not, and hiding them would hide the mistake; nor does what LangGraph raises to pause a graph.
    """
    mistakes = (AssertionError, NameError, NotImplementedError)
    return not isinstance(error, mistakes) and not type(error).__module__.startswith("langgraph.")


def kind_of(error: Exception) -> str:
    """Return what kind of failure it was, without a word of the provider: those may repeat a prompt or a draft."""
    if isinstance(error, UnusableReplyError | CircuitOpenError):
        return error.failure.words
    if isinstance(error, LimitReachedError):
        return f"limit on {error.limit} reached"
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__} ({status})" if isinstance(status, int) else type(error).__name__


def reason_of(error: Exception) -> str:
    """Return what a record says of a failure: its kind, and the message if it is this package's own.

    Such a message holds no text of a provider, a document or a user.
    """
    told = isinstance(error, AutomixError) and not isinstance(error, ModelCallError)
    return f"{kind_of(error)}: {error}" if told else kind_of(error)
