"""What a client is told of an outcome: values that JSON holds, and headers that HTTP does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def plain_output(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output of a graph with its documents as plain data.

    Example:
        >>> from langchain_core.documents import Document
        >>> plain_output({"route": "small", "documents": [Document("text", id="p0")]})
        {'route': 'small', 'documents': [{'id': 'p0', 'text': 'text', 'metadata': {}}]}
    """
    documents = [
        {"id": document.id, "text": document.page_content, "metadata": document.metadata}
        for document in output["documents"]
    ]
    return {**output, "documents": documents}


def extension_of(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an OpenAI response says of an outcome beside the answer, in its field ``automix``."""
    usage = output["usage"]
    sources = [{"id": document.id, "metadata": document.metadata} for document in output["documents"]]
    return {
        **{key: output[key] for key in ("route", "verdict", "confidence", "degraded", "degraded_reason", "cost")},
        **{key: usage.get(key) for key in ("always_large_cost", "always_large_estimated", "saved")},
        "calls": len(usage["calls"]),
        "calls_without_usage": usage["calls_without_usage"],
        "sources": sources,
    }


def headers_of(output: Mapping[str, Any]) -> dict[str, str]:
    """Return the ``x-automix-*`` headers of an outcome; what is not known is ``unknown``, never 0."""
    return {
        "x-automix-route": quote(str(output["route"])),
        "x-automix-verdict": str(output["verdict"]),
        "x-automix-confidence": _number(output["confidence"]),
        "x-automix-cost": _number(output["cost"]),
        "x-automix-degraded": "true" if output["degraded"] else "false",
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.10f}".rstrip("0").rstrip(".")
