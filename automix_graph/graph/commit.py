"""How a question ends: the record so far and the committed answer become the output of the graph."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from langchain_core.documents import Document
from langchain_core.messages import AIMessage

from automix_graph.costs import Prices, bill_of, summarise
from automix_graph.graph.behind import NOT_JUDGED, Behind
from automix_graph.graph.conversation import answered
from automix_graph.graph.node import UNHEARD
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.prompts import PromptChoice
from automix_graph.records import ABSTAINED, SKIPPED, Bill, Draft, Record, changed


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Ends questions.

    Attributes:
        large: label of the last tier's model, with whose answer alone the cost is compared.
        prices: of its tokens.
        prompts: that say how a question is given up in each language.
        behind: is told of every question that has ended; None: nobody is.
    """

    large: str
    prices: Prices
    prompts: PromptChoice
    behind: Behind | None = None

    def commit(
        self,
        state: AutomixState,
        record: Record,
        draft: Draft,
        *,
        streamed: str | None = None,
        degraded: str | None = None,
    ) -> Update:
        """Return the update that ends a question with an answer, and announce it.

        Args:
            state: before the answer.
            record: of a question that was decided about, with all its calls.
            draft: the only text that leaves.
            streamed: id of the reply that has streamed already, so that streams of messages do not carry it twice.
            degraded: why the answer is the best there is, though it was rejected; None where it was not. A record may
                already hold another reason.
        """
        reason = degraded or record.degraded_reason
        message = AIMessage(draft.text, id=streamed or str(uuid.uuid4()))
        bill = bill_of(record.calls, large=self.large, prices=self.prices)
        how = {"route": draft.tier, "degraded": reason is not None, "degraded_reason": reason}
        ended = changed(record, {**how, "bill": bill})
        self._tell(ended)
        return {**_ended(state, ended, bill, message), UNHEARD: streamed is None}

    def abstain(self, state: AutomixState, record: Record) -> Update:
        """Return the update that ends a question without an answer, and announce it.

        What leaves is a fixed sentence in the language of the prompts, so that whoever shows answers has one to show.
        """
        sentence = self.prompts.named(record.language).words.abstention
        message = AIMessage(sentence, id=str(uuid.uuid4()))
        bill = bill_of(record.calls, large=self.large, prices=self.prices)
        ended = changed(record, {"route": ABSTAINED, "bill": bill})
        self._tell(ended)
        return {**_ended(state, ended, bill, message), UNHEARD: True}

    def _tell(self, record: Record) -> None:
        if self.behind is not None:
            self.behind.ended(record)


def _ended(state: AutomixState, record: Record, bill: Bill, message: AIMessage) -> Update:
    answer = str(message.text)
    emit("answer", answer=answer, route=record.route, degraded=record.degraded)
    judged = next((found for found in reversed(record.verifications) if found != SKIPPED), NOT_JUDGED)
    return {
        "question": record.question,
        "answer": answer,
        "route": record.route,
        "confidence": judged.confidence,
        "verdict": judged.verdict.value,
        "documents": [
            Document(id=passage.id, page_content=passage.text, metadata=dict(passage.metadata))
            for passage in record.passages
        ],
        "usage": summarise(record.calls, bill),
        "cost": bill.cost,
        "degraded": record.degraded,
        "degraded_reason": record.degraded_reason,
        **answered(state, message_id=record.message_id, answer=message),
        "record": record.seal(),
    }
