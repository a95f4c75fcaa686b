"""How a question ends: the record so far and the committed answer become the output of the graph."""

from __future__ import annotations

import dataclasses

from langchain_core.documents import Document
from langchain_core.messages import AIMessage

from automix_graph.costs import Prices, bill_of, summarise
from automix_graph.graph.progress import emit
from automix_graph.graph.state import Update
from automix_graph.records import Record, Route


def commit(
    record: Record,
    *,
    answer: str,
    route: Route,
    large: str,
    prices: Prices,
    message_id: str | None = None,
    degraded: bool = False,
) -> Update:
    """Return the update that ends a question, and announce it.

    Args:
        record: of a question that was decided about, with all its calls.
        answer: the only text that leaves.
        route: whose answer it is.
        large: label of the large model, with whose answer alone the cost is compared.
        prices: of its tokens.
        message_id: of the streamed reply, so that streams of messages do not carry it twice.
        degraded: whether it was rejected and is the best there is.
    """
    emit("answer", answer=answer, route=route, degraded=degraded)
    bill = bill_of(record.calls, large=large, prices=prices)
    record = dataclasses.replace(record, route=route, degraded=degraded, bill=bill)
    verification = record.verifications[-1]
    return {
        "answer": answer,
        "route": route,
        "confidence": verification.confidence,
        "verdict": verification.verdict.value,
        "documents": [
            Document(id=passage.id, page_content=passage.text, metadata=dict(passage.metadata))
            for passage in record.passages
        ],
        "usage": summarise(record.calls, bill),
        "cost": bill.cost,
        "degraded": degraded,
        "messages": [AIMessage(answer, id=message_id)],
        "decision": dataclasses.asdict(record.decisions[-1]),
        "record": record.seal(),
    }
