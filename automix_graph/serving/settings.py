"""What an operator can set about a server, with the defaults. Knows no command line and no web framework."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from automix_graph.errors import ConfigurationError

DEFAULT_MODEL: Final = "automix"
"""The name under which a graph without a policy of its own is served."""

LANGSERVE_PATH: Final = "/automix"


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """Limits and doors of a server.

    Attributes:
        keys: bearer keys in printable ASCII, any of which opens the doors; none leaves them open.
        max_body_bytes: of a request; a longer one is refused with 413, however it announces its length.
        max_question_characters: of a question; a longer one is refused with 413.
        max_concurrent: questions in work at once; the next request is refused with 429, none is queued.
        deadline_seconds: for a request from its first byte to the last of its answer; then 504.
        retry_after_seconds: what a refused client is told to wait.
        cors_origins: of web pages that may call this server from a browser, such as ``"https://app.example"``.
        allowed_hosts: names that the ``Host`` header may have; none allows all. A server without keys on loopback
            should allow loopback names alone, so that no web page can reach it through a name of its own.
        ignored_parameters: of chat completions that are dropped instead of refused, for clients that insist on sending
            them, such as ``{"temperature", "max_tokens"}``.
        langserve: whether LangServe's routes are added; None: if it is installed.
        working_paths: of routes that you add to the application, whose POST requests call models: each path and all
            below it have the limits on bodies, places and time, and are counted as the door ``added``.
        readiness_seconds: how long an answer of ``/readyz`` holds.
        readiness_timeout_seconds: for all checks together.

    Raises:
        ConfigurationError: a limit is not above zero, a key can be sent by nobody, or a path is none.

    Example:
        >>> ServingSettings(max_concurrent=8).deadline_seconds
        120.0
    """

    keys: tuple[str, ...] = field(default=(), repr=False)
    max_body_bytes: int = 1 << 20
    max_question_characters: int = 20_000
    max_concurrent: int = 256
    deadline_seconds: float = 120.0
    retry_after_seconds: int = 1
    cors_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    ignored_parameters: frozenset[str] = frozenset()
    langserve: bool | None = None
    working_paths: tuple[str, ...] = ()
    readiness_seconds: float = 10.0
    readiness_timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        for name in (
            "max_body_bytes",
            "max_question_characters",
            "max_concurrent",
            "deadline_seconds",
            "retry_after_seconds",
            "readiness_seconds",
            "readiness_timeout_seconds",
        ):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigurationError(f"{name} is {value!r}; give a finite number above zero")
        require_sendable(self.keys)
        for path in self.working_paths:
            if not path.startswith("/") or path.endswith("/"):
                raise ConfigurationError(
                    f"one of the working paths is {path!r}; give paths that begin with a slash and end without one, "
                    "such as '/threads'"
                )


def require_sendable(keys: Sequence[str]) -> None:
    """Refuse keys that no client could send in a header.

    Args:
        keys: of a server.

    Raises:
        ConfigurationError: a key is blank, or has other characters than those of printable ASCII.

    Example:
        >>> require_sendable(["plain-key"])
    """
    for number, key in enumerate(keys, 1):
        if not key.strip():
            raise ConfigurationError("one of the keys is blank; give keys with characters, or none", code="server-keys")
        if not (key.isascii() and key.isprintable()) or key != key.strip():
            # The key itself is not shown: errors end up in logs.
            raise ConfigurationError(
                f"key {number} of {len(keys)} has characters outside printable ASCII, or blanks around it, which no "
                "client can send in a header; make a key with 'openssl rand -hex 24'",
                code="server-keys",
            )
