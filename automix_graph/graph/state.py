"""The state of one question: plain data, so that every checkpointer can store it."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict  # pydantic makes schemas of typing.TypedDict only from Python 3.12


class AutomixInput(TypedDict):
    """What a question needs.

    Attributes:
        question: in words; never empty.
    """

    question: str


class AutomixOutput(TypedDict):
    """What a question gives.

    Attributes:
        answer: the committed answer.
        route: where the question ended, ``"small"`` or ``"large"``.
        confidence: the verifier's estimate in [0, 1] that the small answer is correct; None where it came to none.
        verdict: ``"CORRECT"``, ``"INCORRECT"`` or ``"UNPARSED"``, of the small answer.
        documents: the passages that all models saw, in this order.
        usage: the ledger: every call with its tokens, seconds and cost, and their sums.
        cost: of all calls, in USD; None where a price or a token count is unknown.
        degraded: whether the large model failed and a rejected answer is the best there is.
    """

    answer: str
    route: str
    confidence: float | None
    verdict: str
    documents: list[Document]
    usage: dict[str, Any]
    cost: float | None
    degraded: bool


class AutomixState(AutomixInput, AutomixOutput):
    """All that travels between the nodes.

    Attributes:
        record: the sealed `automix_graph.records.Record` so far. It holds the drafts, so it is opaque to streams.
        decision: what the policy decided, as plain data; None before.
        messages: the committed answer as a message, so that ``stream_mode="messages"`` carries it on every route.
    """

    record: str
    decision: dict[str, Any] | None
    messages: list[AnyMessage]


Update = dict[str, Any]
"""What a node writes."""
