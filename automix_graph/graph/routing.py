"""Where a verified question goes. The return type lists the edges."""

from __future__ import annotations

from typing import Literal

from automix_graph.graph.state import AutomixState


def route_verified(state: AutomixState) -> Literal["return", "large_answer"]:
    """Follow the policy's decision: an accepted draft is returned, everything else goes to the large model."""
    decision = state["decision"]
    return "return" if decision is not None and decision["accept"] else "large_answer"
