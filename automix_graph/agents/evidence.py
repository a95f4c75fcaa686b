"""What of an agent's conversation a judge reads: the question, and the tools' results as the passages.

A judge does not see the system prompt, nor earlier turns of the conversation but for the results of tools in them. What
the response format's own tool returns is no evidence: it repeats an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware.types import ModelRequest
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy
from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from automix_graph.prompts import well_formed
from automix_graph.records import Passage


def question_of(messages: Sequence[AnyMessage]) -> str | None:
    """Return the text of the last human message; None where there is none, or nothing to read in it.

    Example:
        >>> question_of([HumanMessage("Who?"), HumanMessage("When?"), ToolMessage("1974", tool_call_id="1")])
        'When?'
    """
    asked = next((message for message in reversed(messages) if isinstance(message, HumanMessage)), None)
    text = well_formed(str(asked.text)) if asked is not None else ""
    return text if text.strip() else None


def passages_of(request: ModelRequest[Any]) -> tuple[Passage, ...]:
    """Return the results of tools that the model sees, in their order; a result without text and an error are none."""
    formats = _format_tools(request.response_format)
    return tuple(
        Passage(
            text=well_formed(str(message.text)), id=message.tool_call_id, metadata={"tool": message.name or "unnamed"}
        )
        for message in request.messages
        if isinstance(message, ToolMessage)
        and message.status != "error"
        and message.name not in formats
        and str(message.text).strip()
    )


def _format_tools(response_format: Any) -> frozenset[str]:
    """Return the names of the tools that stand for a response format."""
    if response_format is None or isinstance(response_format, ProviderStrategy):
        return frozenset()
    if isinstance(response_format, AutoStrategy):
        response_format = response_format.schema
    strategy = response_format if isinstance(response_format, ToolStrategy) else ToolStrategy(schema=response_format)
    return frozenset(spec.name for spec in strategy.schema_specs)
