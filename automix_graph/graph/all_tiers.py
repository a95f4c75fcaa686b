"""Every tier and the verification for one question, whatever a policy would decide: what records are made of.

The nodes are those of the graph, run one after the other, so that models are asked exactly as a cascade asks them.
Nobody decides and nothing is committed. A question that fails keeps the calls that were paid for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig

from automix_graph.costs import Price, bill_of
from automix_graph.errors import ConfigurationError
from automix_graph.graph.conversation import checked_question
from automix_graph.graph.draft import draft_node
from automix_graph.graph.handover import taken
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.node import Node
from automix_graph.graph.parts import Parts, Retriever, Tiers, as_retriever
from automix_graph.graph.retrieve import retrieve_node, start_record
from automix_graph.graph.state import AutomixState
from automix_graph.graph.verify import verify_node
from automix_graph.models.calling import is_failure, reason_of
from automix_graph.models.retrying import Retries
from automix_graph.prompts import Layout, Prompts
from automix_graph.records import Passage, Record, answer_stage, verify_stage
from automix_graph.verification import Verifier


@dataclass(frozen=True, kw_only=True)
class Run:
    """What all tiers did with a question.

    Attributes:
        record: drafts, verification and every call; without a route, for nobody decided.
        error: why the record is not complete; None where it is. It holds no text of a provider, a document or a user.
    """

    record: Record
    error: str | None = None


class AllTiers:
    """Ask every model and every verifier, always.

    Args:
        small: as for `build_automix`, like all that follows.
        large: the model that a cascade asks where the small answer is not good enough.
        tiers: two or more models in place of both, cheapest first.
        retriever: what fetches passages; None where every question comes with its own.
        verifier: who judges the answers. One that can stop early does not: nobody decides.
        language: of the prompts.
        layout: of the prompts of a model that judges.
        prices: USD per million tokens by model label, where list prices do not apply.
        retries: what is done about models that fail for a reason that may pass.

    Raises:
        ConfigurationError: an argument cannot be used as given.
        MissingExtraError: a model needs a package that is not installed.
        ModelFileError: a local model's weights are missing or damaged.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel
        >>> tiers = AllTiers(
        ...     small=ScriptedChatModel(["In June"]),
        ...     large=ScriptedChatModel(["Incorrect", "In May"]),
        ... )
        >>> run = tiers.record("When?", [Passage(text="It was in May.")])
        >>> [draft.text for draft in run.record.drafts], run.record.verifications[0].verdict.value, run.error
        (['In June', 'In May'], 'INCORRECT', None)
    """

    def __init__(
        self,
        *,
        small: str | BaseChatModel | None = None,
        large: str | BaseChatModel | None = None,
        tiers: Tiers | None = None,
        retriever: Retriever | None = None,
        verifier: str | BaseChatModel | Verifier | None = None,
        language: str | Path | Prompts = "auto",
        layout: Layout | None = None,
        prices: Mapping[str, Price | Sequence[float]] | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.parts = Parts.of(
            small=small,
            large=large,
            tiers=tiers,
            verifier=verifier,
            language=language,
            layout=layout,
            prices=prices,
            retries=retries,
        )
        self.retriever = None if retriever is None else as_retriever(retriever)
        self._retrieve: Node | None = None
        if self.retriever is not None:
            unlimited = _unlimited(self.parts)
            self._retrieve = retrieve_node(self.retriever, prompts=self.parts.prompts, limiting=unlimited)
        self._tiers = _nodes(self.parts)

    def record(
        self, question: str, passages: Sequence[Passage] | None = None, config: RunnableConfig | None = None
    ) -> Run:
        """Run all tiers on a question.

        Args:
            question: in words.
            passages: what the models see; None retrieves them.
            config: of LangChain, for callbacks.

        Raises:
            ConfigurationError: the question is blank, or there are neither passages nor a retriever.
        """
        state, retrieve = self._begin(question, passages)
        if retrieve is not None:
            try:
                state = _merged(state, retrieve.invoke(state, config))
            except Exception as error:
                return self._not_retrieved(question, error)
        for node in self._tiers:
            state = _merged(state, node.invoke(state, config))
        return self._finished(state)

    async def arecord(
        self, question: str, passages: Sequence[Passage] | None = None, config: RunnableConfig | None = None
    ) -> Run:
        """Run all tiers on a question, asynchronously; see `record`."""
        state, retrieve = self._begin(question, passages)
        if retrieve is not None:
            try:
                state = _merged(state, await retrieve.ainvoke(state, config))
            except Exception as error:
                return self._not_retrieved(question, error)
        for node in self._tiers:
            state = _merged(state, await node.ainvoke(state, config))
        return self._finished(state)

    def _begin(self, question: str, passages: Sequence[Passage] | None) -> tuple[AutomixState, Node | None]:
        """Return the state to begin with, and the node that fetches passages where there are none."""
        begun = {"question": checked_question(question)}
        if passages is not None:
            record = start_record(question, self.parts.prompts)
            begun["record"] = dataclasses.replace(record, passages=tuple(passages)).seal()
            return cast("AutomixState", begun), None
        if self._retrieve is None:
            raise ConfigurationError(
                "there are no passages to answer from; give a retriever, or passages with the question",
                code="no-passages",
            )
        return cast("AutomixState", begun), self._retrieve

    def _not_retrieved(self, question: str, error: Exception) -> Run:
        if not is_failure(error):
            raise error
        return Run(record=start_record(question, self.parts.prompts), error=f"the retriever raised {reason_of(error)}")

    def _finished(self, state: AutomixState) -> Run:
        record = taken(state["record"])
        bill = bill_of(record.calls, large=self.parts.large.label, prices=self.parts.prices)
        return Run(record=dataclasses.replace(record, bill=bill), error=incomplete(record, self.parts))


def _nodes(parts: Parts) -> tuple[Node, ...]:
    unlimited = _unlimited(parts)
    nodes = []
    for tier in parts.tiers:
        nodes.append(draft_node(tier, prompts=parts.answer_prompts(tier.model), limiting=unlimited))
        if tier.verifier is not None:
            nodes.append(
                verify_node(tier.verifier, tier.name, deciding=None, prompts=parts.prompts, limiting=unlimited)
            )
    return tuple(nodes)


def _unlimited(parts: Parts) -> Limiting:
    return Limiting(limits=None, prices=parts.prices)


def _merged(state: AutomixState, update: Mapping[str, object]) -> AutomixState:
    return cast("AutomixState", {**state, **update})


def incomplete(record: Record, parts: Parts) -> str | None:
    """Return what a record lacks: an answer, or the judgement of a judge that could not be reached.

    A judge that was reached and decided nothing is no failure: it is what a cascade would have had to go by.
    """
    reasons = []
    for position, tier in enumerate(parts.tiers):
        if record.draft(tier.name) is None:
            reasons.append(f"the {tier.name} model gave no answer: {_errors(record, answer_stage(tier.name))[-1]}")
        if tier.verifier is not None:
            failure = record.verifications[position].failure
            if failure is not None and any(_errors(record, verify_stage(tier.name))[-1:]):
                reasons.append(f"the verifier came to no judgement: {failure}")
    return "; ".join(reasons) or None


def _errors(record: Record, stage: str) -> list[str | None]:
    return [call.error for call in record.calls if call.stage == stage]
