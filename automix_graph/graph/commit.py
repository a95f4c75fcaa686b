"""How a question ends: the record so far and the committed answer become the output of the graph."""

from __future__ import annotations

from langchain_core.messages import AIMessage

from automix_graph.costs import summarise, total_cost
from automix_graph.graph.progress import emit
from automix_graph.graph.state import Update
from automix_graph.records import Record, Route, Verdict


def commit(
    record: Record, *, answer: str, route: Route, message_id: str | None = None, degraded: bool = False
) -> Update:
    """Return the update that ends a question, and announce it.

    Args:
        record: with all calls of the question.
        answer: the only text that leaves.
        route: whose answer it is.
        message_id: of the streamed reply, so that streams of messages do not carry it twice.
        degraded: whether it was rejected and is the best there is.
    """
    emit("answer", answer=answer, route=route, degraded=degraded)
    verification = record.verifications[-1] if record.verifications else None
    return {
        "answer": answer,
        "route": route,
        "confidence": verification.confidence if verification else None,
        "verdict": (verification.verdict if verification else Verdict.UNPARSED).value,
        "usage": summarise(record.calls),
        "cost": total_cost(record.calls),
        "degraded": degraded,
        "messages": [AIMessage(answer, id=message_id)],
        "record": record.seal(),
    }


def begin(record: Record) -> Update:
    """Return the update that starts a question: nothing of the last one on the same thread is left."""
    return {
        "answer": None,
        "route": None,
        "confidence": None,
        "verdict": None,
        "usage": None,
        "cost": None,
        "degraded": None,
        "messages": [],
        "decision": None,
        "record": record.seal(),
    }
