"""The factory that a LangGraph server calls, and what it makes once a process."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from automix_graph.langgraph_server.environment import GraphSettings

if TYPE_CHECKING:
    from automix_graph.graph.build import CompiledGraph


def open_graph(settings: GraphSettings, *, until: contextlib.ExitStack) -> CompiledGraph:
    """Open the index, load the models, and make the graph.

    Args:
        settings: of the graph.
        until: closes the index when it is closed.

    Raises:
        AutomixError: a part cannot be had; the message says which, and what to do.
    """
    # Imported here: they take a second, and reading the settings must not.
    from automix_graph.graph import create_automix
    from automix_graph.policies import load_policy
    from automix_graph.retrieval.opened_index import opened_index

    policy = None if settings.policy is None else load_policy(settings.policy)
    index = opened_index(settings.index, settings.embedding, k=settings.k, search=settings.search)
    review: Any = settings.review  # checked by the graph, as the mode is
    mode: Any = settings.mode
    background = None
    if settings.audit_records is not None:
        from automix_graph.shadow import Background

        background = Background(
            records=settings.audit_records, max_cost=settings.audit_max_cost, redact=settings.audit_redact
        )
    return create_automix(
        tiers=settings.models,
        verifier=settings.verifier,
        policy=policy,
        retriever=until.enter_context(index),
        language=settings.language,
        condense=settings.condense,
        review=review,
        mode=mode,
        shadow_rate=settings.shadow_rate,
        audit_rate=settings.audit_rate,
        background=background,
    )


class _Once:
    """Makes the graph when it is first asked for; the next call tries again after a failure."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graph: CompiledGraph | None = None

    def graph(self) -> CompiledGraph:
        with self._lock:
            if self._graph is None:
                with contextlib.ExitStack() as parts:
                    self._graph = open_graph(GraphSettings.from_environment(), until=parts)
                    atexit.register(parts.pop_all().close)
            return self._graph


_ONCE: Final = _Once()


async def make_graph() -> CompiledGraph:
    """Return the graph that the environment describes: the factory that ``langgraph.json`` names.

    The same graph each time. Loading models takes seconds, so it is done in a thread, away from the server's loop.

    Raises:
        AutomixError: the graph cannot be made; the message says which variable or part is to blame.
    """
    return await asyncio.to_thread(_ONCE.graph)
