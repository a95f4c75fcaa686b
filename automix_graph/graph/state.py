"""The state of one question: plain data, so that every checkpointer can store it.

Everything but the question lives in ephemeral channels: a value is there for the next step and in the checkpoint of the
last one, and gone when the next question comes. So nothing of one question can be seen in another on the same thread.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage
from langgraph.channels import EphemeralValue
from typing_extensions import TypedDict  # pydantic makes schemas of typing.TypedDict only from Python 3.12

from automix_graph.records import Route


class AutomixInput(TypedDict):
    """What a question needs.

    Attributes:
        question: in words; never empty.
    """

    question: str


class AutomixOutput(TypedDict):
    """What a question gives.

    Attributes:
        answer: the committed answer, as the model wrote it.
        route: where the question ended, ``"small"`` or ``"large"``.
        confidence: the verifier's estimate in [0, 1] that the small answer is correct; None where it came to none.
        verdict: of the small answer.
        documents: the passages that all models saw, in this order; metadata as JSON values.
        usage: the ledger: every call with its tokens, seconds and cost, and their sums.
        cost: of all calls, in USD; None where a price or a token count is unknown.
        degraded: whether the large model failed and a rejected answer is the best there is.
    """

    answer: Annotated[str, EphemeralValue]
    route: Annotated[Route, EphemeralValue]
    confidence: Annotated[float | None, EphemeralValue]
    verdict: Annotated[Literal["CORRECT", "INCORRECT", "UNPARSED"], EphemeralValue]
    documents: Annotated[list[Document], EphemeralValue]
    usage: Annotated[dict[str, Any], EphemeralValue]
    cost: Annotated[float | None, EphemeralValue]
    degraded: Annotated[bool, EphemeralValue]


class AutomixState(AutomixInput, AutomixOutput):
    """All that travels between the nodes.

    Attributes:
        record: the sealed `automix_graph.records.Record` so far; every node writes it. It holds the drafts, so it is
            opaque to streams.
        decision: what the policy decided, as plain data.
        messages: the committed answer as a message, so that ``stream_mode="messages"`` carries it on every route.
    """

    record: Annotated[str, EphemeralValue]
    decision: Annotated[dict[str, Any] | None, EphemeralValue]
    messages: Annotated[list[AnyMessage], EphemeralValue]


Update = dict[str, Any]
"""What a node writes."""
