"""Where a local model answers, and how it is run: plain values, without a process."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How a local model is run.

    Attributes:
        context_tokens: the longest prompt with its answer; all requests at one time share it.
        parallel: requests answered at one time; more wait. With 1, the same request gets the same answer to the last
            bit whatever runs beside it.
        threads: of computation; None takes all cores that this process may use.
    """

    context_tokens: int = 8192
    parallel: int = 4
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a running model answers.

    Attributes:
        base_url: of the OpenAI-compatible API.
        api_key: the key it asks for.
    """

    base_url: str
    api_key: str = field(repr=False)

    def answers(self) -> bool:
        """Return whether the server is still there."""
        address = urlsplit(self.base_url)
        try:
            with socket.create_connection((address.hostname, address.port), _CONNECT_SECONDS):
                return True
        except OSError:
            return False
