"""Targets and whether they were met, as rows that every benchmark writes in the same way.

A result that holds a list under ``targets`` has its rows in the table of ``benchmarks/all.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Result = dict[str, Any]


def at_most(what: str, *, ours: str, peer: str, ratio: float, allowed: float) -> Result:
    """Return the row of a ratio that must not be above another.

    Args:
        what: was measured.
        ours: our figure, with its unit.
        peer: that of the peer or the limit, with its unit and name.
        ratio: ours / peer.
        allowed: the highest ratio that meets the target.
    """
    met = ratio <= allowed
    return {"what": what, "ours": ours, "peer": peer, "ratio": f"{ratio:.3g}", "target": f"≤ {allowed:.3g}", "met": met}


def at_least(what: str, *, ours: float, allowed: float, unit: str) -> Result:
    """Return the row of a figure that must not be below a number.

    Args:
        what: was measured.
        ours: our figure.
        allowed: the lowest one that meets the target.
        unit: of both.
    """
    return {
        "what": what,
        "ours": f"{ours:,.0f} {unit}",
        "peer": "",
        "ratio": f"{ours / allowed:.1f}",
        "target": f"≥ {allowed:,.0f} {unit}",
        "met": ours >= allowed,
    }


def within(what: str, *, ours: float, allowed: float, unit: str) -> Result:
    """Return the row of a figure that must not be above a number; see `at_least`."""
    return {
        "what": what,
        "ours": f"{ours:.2f} {unit}",
        "peer": "",
        "ratio": f"{ours / allowed:.2f}",
        "target": f"≤ {allowed:g} {unit}",
        "met": ours <= allowed,
    }


def table_of(results: Mapping[str, Result]) -> str:
    """Return the targets of all results as a table in Markdown, each with its command.

    Args:
        results: by name.
    """
    lines = ["| what | ours | peer or limit | ratio | target | met | command |", "|---|---|---|---|---|---|---|"]
    for result in results.values():
        for row in result.get("targets", ()):
            met = "yes" if row["met"] else "**no**"
            cells = (
                *(row[name] for name in ("what", "ours", "peer", "ratio", "target")),
                met,
                f"`{result['command']}`",
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_circumstances(results.values())]) + "\n"


def _circumstances(results: Iterable[Result]) -> list[str]:
    told = {
        f"{result.get('date')}, commit {result.get('commit')}, {result.get('machine')}, load {result.get('load')}"
        for result in results
        if result.get("targets")
    }
    return [f"Measured: {'; '.join(sorted(told))}."] if told else []
