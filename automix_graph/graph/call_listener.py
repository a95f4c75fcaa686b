"""The model calls of a question that ends with an error: a graph that raises returns no ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler

from automix_graph.errors import ModelCallError
from automix_graph.graph.node import update_of
from automix_graph.records import Call, Record


class CallListener(AsyncCallbackHandler):
    """Remembers the last record that a node has passed on; for the callbacks of one question.

    Example:
        >>> CallListener().calls_before(TimeoutError())
        ()
    """

    ignore_llm = True
    ignore_chat_model = True
    ignore_retriever = True
    ignore_agent = True

    def __init__(self) -> None:
        self._sealed: str | None = None

    def calls_before(self, error: Exception) -> tuple[Call, ...]:
        """Return the calls that were made before an error ended the question, as far as they are known.

        Those of the node that raised are known where the last model failed; else those of the nodes before it are.
        """
        if isinstance(error, ModelCallError) and error.calls:
            return tuple(error.calls)
        return () if self._sealed is None else Record.unseal(self._sealed).calls

    async def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Take the record out of what a node returns."""
        sealed = (update_of(outputs) or {}).get("record")
        if isinstance(sealed, str):
            self._sealed = sealed
