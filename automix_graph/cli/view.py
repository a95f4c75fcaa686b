"""How a result looks: as JSON for programs, as tables for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.documents import Document
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_SNIPPET: Final = 160


def as_json(question: str, result: Mapping[str, Any]) -> str:
    """Return question and result as indented JSON."""
    documents = [
        {"id": document.id, "text": document.page_content, "metadata": document.metadata}
        for document in result["documents"]
    ]
    return json.dumps({"question": question, **result, "documents": documents}, ensure_ascii=False, indent=2)


def show(console: Console, result: Mapping[str, Any]) -> None:
    """Print a result: the answer, how it came about, its sources, and what it cost."""
    console.print(
        Panel(Text(result["answer"]), title="Answer", title_align="left"),
        how(result),
        Group(Text("\nSources", style="bold"), *(_source(n, d) for n, d in enumerate(result["documents"], start=1))),
        "",
        calls_table(result["usage"], result["cost"]),
        beside_always_large(result["usage"]),
        *(["What to do about a failed call: automix explain model-call"] if _failed(result["usage"]) else []),
        sep="\n",
    )


def how(result: Mapping[str, Any]) -> RenderableType:
    """Return lines that say how the answer came about."""
    confidence = result["confidence"]
    judged = result["verdict"] if confidence is None else f"{result['verdict']}, confidence {confidence:.2f}"
    line = Text.assemble("Route: ", (result["route"], "bold"), f"   Verdict: {judged}")
    line.append(f"\nDecision: {result['decision']['reason']}")
    if result["degraded"]:
        line.append(
            f"\nDegraded: this answer was not accepted, and there is no other ({result['degraded_reason']}).",
            "bold red",
        )
    return line


def calls_table(usage: Mapping[str, Any], cost: float | None) -> Table:
    """Return the ledger as a table."""
    table = Table(title="Calls", title_justify="left", show_footer=True)
    table.add_column("Call", footer="total")
    table.add_column("Model", overflow="fold")
    missing = " + ?" if usage["calls_without_usage"] else ""
    totals = (
        _tokens(usage["input_tokens"], usage["cached_input_tokens"]) + missing,
        f"{usage['output_tokens']}{missing}",
        f"{usage['seconds']:.1f}",
        f"≥ ${usage['cost_at_least']:.6f}" if cost is None and usage["cost_at_least"] else _cost(cost),
    )
    for header, footer in zip(("Tokens in", "out", "Seconds", "Cost"), totals, strict=True):
        table.add_column(header, footer=footer, justify="right")
    for call in usage["calls"]:
        table.add_row(
            call["stage"],
            escape(call["model"]),
            _tokens(call["input_tokens"], call["cached_input_tokens"]),
            "?" if call["output_tokens"] is None else str(call["output_tokens"]),
            f"{call['seconds']:.1f}",
            _cost(call["cost"]),
        )
        if call["error"]:
            table.add_row("", Text(f"failed: {call['error']}", style="red", overflow="fold"))
    return table


def beside_always_large(usage: Mapping[str, Any]) -> Text:
    """Return a line that compares the cost with that of asking only the large model."""
    alone, saved = usage["always_large_cost"], usage["saved"]
    line = Text("The large model's answer alone: ")
    if alone is None:
        return line.append("unknown (the price of a model is not known, or tokens were not reported)")
    line.append(f"${alone:.6f}{' (estimated)' if usage['always_large_estimated'] else ''}")
    if saved is not None:
        line.append(f"   {'Saved' if saved >= 0 else 'Lost'}: ")
        line.append(f"${abs(saved):.6f}", "bold green" if saved >= 0 else "bold red")
    return line


def _failed(usage: Mapping[str, Any]) -> bool:
    """Return whether a call was made and failed; one that a limit forbade is told by the limit's own words."""
    return any(call["error"] and not call["error"].startswith("limit on ") for call in usage["calls"])


def _source(number: int, document: Document) -> RenderableType:
    metadata = document.metadata
    # A title alone does not tell two pages apart, nor where to look.
    where = [str(metadata[key]) for key in ("title", "source") if metadata.get(key)] or [document.id or ""]
    where += [f"{key} {metadata[key]}" for key in ("page", "row", "line") if key in metadata]
    snippet = " ".join(document.page_content.split())
    snippet = snippet if len(snippet) <= _SNIPPET else snippet[: _SNIPPET - 1] + "…"
    return Group(Text(f"[{number}] {', '.join(where)}", style="cyan"), Padding(Text(snippet), (0, 0, 0, 4)))


def _tokens(count: int | None, cached: int | None) -> str:
    if count is None:
        return "?"
    return f"{count} ({cached} cached)" if cached else str(count)


def _cost(cost: float | None) -> str:
    return "unknown" if cost is None else f"${cost:.6f}"
