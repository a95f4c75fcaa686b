"""Whether a server could answer now: cheap checks of its parts, seldom, one at a time, and in bounded time.

A check must not cost money, for load balancers ask often. So a model is asked for an answer only where the operator
wants that; else servers of the OpenAI API are asked for their list of models, which costs nothing, and others are not
checked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

_log: Final = logging.getLogger(__name__)

Check = Callable[[], Awaitable[bool]]
"""Raises where the part does not work; returns whether it was looked at."""
Finding = Literal["ok", "failed", "not checked"]


class Readiness:
    """Runs checks, and keeps what they found for a while.

    Args:
        checks: by the name of the part.
        holds: seconds that findings are kept.
        timeout: seconds for all checks together.
    """

    def __init__(self, checks: Mapping[str, Check], *, holds: float, timeout: float) -> None:
        self._checks = dict(checks)
        self._holds = holds
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._findings: dict[str, Finding] = {}

    async def findings(self) -> dict[str, Finding]:
        """Return what was found of each part, not long ago. Requests that come while checks run wait for these."""
        async with self._lock:
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*(self._run(name, check) for name, check in self._checks.items()))
                self._findings = dict(zip(self._checks, found, strict=True))
                self._until = time.monotonic() + self._holds
            return dict(self._findings)

    async def _run(self, name: str, check: Check) -> Finding:
        try:
            async with asyncio.timeout(self._timeout):
                return "ok" if await check() else "not checked"
        except Exception as error:
            _log.warning("%s is not ready: %s", name, type(error).__name__)
            _log.debug("%s is not ready", name, exc_info=error)
            return "failed"


def retriever_check(retriever: Runnable[str, Any]) -> Check:
    """Return a check that searches the index for one word."""

    async def check() -> bool:
        await retriever.ainvoke("ready")
        return True

    return check


def model_check(model: BaseChatModel, *, asks: bool = False) -> Check:
    """Return a check of a chat model.

    Args:
        model: to check.
        asks: whether to have it answer, which costs a few tokens each time. Otherwise a server of the OpenAI API (local
            models among them) is asked for its list of models, and other models are not checked.
    """

    async def check() -> bool:
        if asks:
            await model.ainvoke("Reply with the word OK.")
            return True
        client = getattr(model, "root_async_client", None)  # of ChatOpenAI and its kin
        if client is None:
            return False
        await client.models.list()
        return True

    return check
