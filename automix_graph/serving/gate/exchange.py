"""One request while it is worked on: what the log and the metrics will say of it, and when it must end.

It travels in a context variable, so that the work deep inside a framework's handler can note what came of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from automix_graph.serving.gate.places import Place
from automix_graph.serving.settings import LANGSERVE_PATH

Door = Literal["added", "ask", "chat", "health", "langserve", "metrics", "models", "page", "other"]
"""Which way in a request took; the values of a label of the metrics."""

DOORS: Final = get_args(Door)
WORKING: Final[frozenset[Door]] = frozenset({"added", "ask", "chat", "langserve"})
"""Doors whose POST requests call models."""
OPEN: Final[frozenset[Door]] = frozenset({"health", "page"})
"""Doors that need no key: they tell nothing but whether the server is well."""

_PATHS: Final[dict[str, Door]] = {
    "/": "page",
    "/ask": "ask",
    "/healthz": "health",
    "/metrics": "metrics",
    "/readyz": "health",
    "/v1/chat/completions": "chat",
}


def door_of(path: str, added: Iterable[str] = ()) -> Door:
    """Return the door of a path.

    Args:
        path: of a request.
        added: paths of routes that were added to the application, which call models.

    Example:
        >>> door_of("/v1/models/automix"), door_of("/automix/stream"), door_of("/automixed")
        ('models', 'langserve', 'other')
        >>> door_of("/threads/invoke", ["/threads"])
        'added'
    """
    if path in _PATHS:
        return _PATHS[path]
    if path == "/v1/models" or path.startswith("/v1/models/"):
        return "models"
    if _within(path, LANGSERVE_PATH):
        return "langserve"
    return "added" if any(_within(path, one) for one in added) else "other"


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


@dataclass(kw_only=True)
class Exchange:
    """What is known of a request so far.

    Attributes:
        request_id: given by the client, if it is a plain word, else made up.
        door: it came through.
        seconds: it may take.
        started: on the clock of `time.perf_counter`.
        deadline: on the clock of the event loop.
        route: where its question ended.
        cost: of its question in USD.
        error: the code of its failure.
        place: that it has, if it calls models.
    """

    request_id: str
    door: Door
    seconds: float
    started: float = field(default_factory=time.perf_counter)
    deadline: float = 0.0
    route: str | None = None
    cost: float | None = None
    error: str | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        self.deadline = asyncio.get_running_loop().time() + self.seconds

    @property
    def passed(self) -> bool:
        """Whether its deadline passed."""
        return asyncio.get_running_loop().time() >= self.deadline


current: Final[ContextVar[Exchange | None]] = ContextVar("automix_exchange", default=None)
"""The request that this task works for; None where the graph is served by an application of somebody else's."""
