"""What a trace tells of a question: how it ended, on the run of the graph itself. No text of a user or a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers.base import BaseTracer

from automix_graph.graph.state import Update

_TOLD: Final = ("route", "verdict", "confidence", "cost", "degraded")


def trace_outcome(update: Update, config: RunnableConfig) -> None:
    """Put how a question ended into the metadata of the graph's run, for every tracer that follows it.

    Metadata are ``automix_route``, ``automix_verdict``, ``automix_confidence``, ``automix_cost`` and
    ``automix_degraded``. Tracers are LangSmith's and all others that keep runs (`BaseTracer`); to other handlers, the
    output of the run says the same.

    Args:
        update: of the node that ends the question; of another, nothing is told.
        config: of that node.
    """
    callbacks = config.get("callbacks")
    if "answer" not in update or not isinstance(callbacks, BaseCallbackManager) or not callbacks.handlers:
        return
    told = {f"automix_{name}": update[name] for name in _TOLD}
    for handler in callbacks.handlers:
        _tell(handler, callbacks.parent_run_id, told)


def _tell(handler: BaseCallbackHandler, node_run: object, told: Mapping[str, Any]) -> None:
    if not isinstance(handler, BaseTracer):
        return
    node = handler.run_map.get(str(node_run))
    graph = handler.run_map.get(str(node.parent_run_id)) if node is not None else None
    if graph is not None:
        graph.add_metadata(dict(told))
