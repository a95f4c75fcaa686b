"""How a question ends: the record so far and the committed answer become the output of the graph."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass

from langchain_core.documents import Document
from langchain_core.messages import AIMessage

from automix_graph.costs import Prices, bill_of, summarise
from automix_graph.graph.conversation import answered
from automix_graph.graph.node import UNHEARD
from automix_graph.graph.progress import emit
from automix_graph.graph.state import AutomixState, Update
from automix_graph.prompts import PromptChoice
from automix_graph.records import ABSTAINED, SKIPPED, Draft, Record


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Ends questions.

    Attributes:
        large: label of the last tier's model, with whose answer alone the cost is compared.
        prices: of its tokens.
        prompts: that say how a question is given up in each language.
    """

    large: str
    prices: Prices
    prompts: PromptChoice

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
            degraded: why the answer is the best there is, though it was rejected; None where it was not.
        """
        message = AIMessage(draft.text, id=streamed or str(uuid.uuid4()))
        ended = dataclasses.replace(record, route=draft.tier, degraded=degraded is not None, degraded_reason=degraded)
        return {**self._end(state, ended, message), UNHEARD: streamed is None}

    def abstain(self, state: AutomixState, record: Record) -> Update:
        """Return the update that ends a question without an answer, and announce it.

        What leaves is a fixed sentence in the language of the prompts, so that whoever shows answers has one to show.
        """
        sentence = self.prompts.named(record.language).words.abstention
        message = AIMessage(sentence, id=str(uuid.uuid4()))
        return {**self._end(state, dataclasses.replace(record, route=ABSTAINED), message), UNHEARD: True}

    def _end(self, state: AutomixState, record: Record, message: AIMessage) -> Update:
        answer = str(message.text)
        emit("answer", answer=answer, route=record.route, degraded=record.degraded)
        bill = bill_of(record.calls, large=self.large, prices=self.prices)
        judged = next(found for found in reversed(record.verifications) if found != SKIPPED)
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
            "decision": dataclasses.asdict(record.decisions[-1]),
            "record": dataclasses.replace(record, bill=bill).seal(),
        }
