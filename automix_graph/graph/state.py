"""The state of one question: plain data, so that every checkpointer can store it.

Everything but the conversation lives in ephemeral channels: a value is there for the next step and in the checkpoint of
the last one, and gone when the next question comes. So nothing of one question can be seen in another on the same
thread, unless both are of one conversation.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage
from langgraph.channels import EphemeralValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict  # pydantic makes schemas of typing.TypedDict only from Python 3.12

from automix_graph.records import Route


class AutomixInput(TypedDict, total=False):
    """What a question needs: one of the two.

    Attributes:
        question: in words; never empty. It stands alone, whatever was said before.
        messages: a conversation, or what is new of one on a thread; the last human message is the question.
    """

    question: Annotated[str, EphemeralValue]
    messages: Annotated[list[AnyMessage], EphemeralValue]


class AutomixOutput(TypedDict):
    """What a question gives.

    Attributes:
        answer: the committed answer, as the model wrote it; a fixed sentence where the question was given up.
        route: where the question ended: ``"small"``, ``"large"``, with more than two models also ``"middle"`` or
            ``"middle_1"`` and so on, or ``"abstain"`` where the policy gave the question up.
        confidence: the verifier's estimate in [0, 1] that the last answer that was judged is correct, which is the
            small one of two; None where it came to none.
        verdict: of the same answer.
        documents: the passages that all models saw, in this order; metadata as JSON values.
        usage: the ledger: every call with its tokens, seconds and cost, and their sums.
        cost: of all calls, in USD; None where a price or a token count is unknown.
        degraded: whether the answer is only the best there is: a rejected one, since the large model failed or a limit
            was reached; or one without passages, since the retriever failed.
        degraded_reason: why it is, in a few words; None where it is not.
        messages: the committed answer as a message; behind the conversation, if that asked the question.
    """

    answer: Annotated[str, EphemeralValue]
    route: Annotated[Route, EphemeralValue]
    confidence: Annotated[float | None, EphemeralValue]
    verdict: Annotated[Literal["CORRECT", "INCORRECT", "UNPARSED"], EphemeralValue]
    documents: Annotated[list[Document], EphemeralValue]
    usage: Annotated[dict[str, Any], EphemeralValue]
    cost: Annotated[float | None, EphemeralValue]
    degraded: Annotated[bool, EphemeralValue]
    degraded_reason: Annotated[str | None, EphemeralValue]
    messages: Annotated[list[AnyMessage], EphemeralValue]


class RecordInput(TypedDict, total=False):
    """What a node reads that goes on with a question. LangGraph looks each field up, so a node asks for no more.

    Attributes:
        record: the sealed `automix_graph.records.Record` so far; every node writes it. It holds the drafts, so it is
            opaque to streams.
        ahead: name of the answer that was begun before it was needed; it lives in the process.
        conversation: messages and committed answers of this thread; it alone outlives a question.
    """

    record: Annotated[str, EphemeralValue]
    ahead: Annotated[str, EphemeralValue]
    conversation: Annotated[list[AnyMessage], add_messages]


class BeginningInput(RecordInput, AutomixInput, total=False):
    """What a node reads that a question may begin with."""


class AutomixState(AutomixOutput):
    """All that travels between the nodes.

    Attributes:
        question: that is answered.
        record: as in `RecordInput`.
        ahead: as in `RecordInput`.
        conversation: as in `RecordInput`.
    """

    question: Annotated[str, EphemeralValue]
    record: Annotated[str, EphemeralValue]
    ahead: Annotated[str, EphemeralValue]
    conversation: Annotated[list[AnyMessage], add_messages]


Update = dict[str, Any]
"""What a node writes."""
