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
from automix_graph.graph.node import Node
from automix_graph.graph.nodes import STAGES, checked_question, draft_node, retrieve_node, start_record, verify_node
from automix_graph.graph.parts import Parts, Retriever, as_retriever
from automix_graph.graph.state import AutomixState
from automix_graph.models.calling import is_failure, reason_of
from automix_graph.prompts import Layout, Prompts
from automix_graph.records import Passage, Record, Route
from automix_graph.verification import Verifier
from automix_graph.verification.verifier import reads_logprobs


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
    """Ask the small model, the verifier and the large model, always.

    Args:
        small: as for `build_automix`, like all that follows.
        large: the model that a cascade asks where the small answer is not good enough.
        retriever: what fetches passages; None where every question comes with its own.
        verifier: who judges the small answer. One that can stop early does not: nobody decides.
        language: of the prompts.
        layout: of the prompts of a model that judges.
        prices: USD per million tokens by model label, where list prices do not apply.

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
        small: str | BaseChatModel,
        large: str | BaseChatModel,
        retriever: Retriever | None = None,
        verifier: str | BaseChatModel | Verifier | None = None,
        language: str | Path | Prompts = "auto",
        layout: Layout | None = None,
        prices: Mapping[str, Price | Sequence[float]] | None = None,
    ) -> None:
        self.parts = Parts.of(
            small=small, large=large, verifier=verifier, language=language, layout=layout, prices=prices
        )
        self.retriever = None if retriever is None else as_retriever(retriever)
        self._retrieve = None if self.retriever is None else retrieve_node(self.retriever, prompts=self.parts.prompts)
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
            begun["record"] = start_record(question, tuple(passages), self.parts.prompts).seal()
            return cast("AutomixState", begun), None
        if self._retrieve is None:
            raise ConfigurationError(
                "there are no passages to answer from; give a retriever, or passages with the question"
            )
        return cast("AutomixState", begun), self._retrieve

    def _not_retrieved(self, question: str, error: Exception) -> Run:
        if not is_failure(error):
            raise error
        return Run(
            record=start_record(question, (), self.parts.prompts), error=f"the retriever raised {reason_of(error)}"
        )

    def _finished(self, state: AutomixState) -> Run:
        record = Record.unseal(state["record"])
        bill = bill_of(record.calls, large=self.parts.large.label, prices=self.parts.prices)
        return Run(record=dataclasses.replace(record, bill=bill), error=_incomplete(record))


def _nodes(parts: Parts) -> tuple[Node, ...]:
    def draft(tier: Route) -> Node:
        model = parts.small if tier == "small" else parts.large
        return draft_node(
            model,
            tier=tier,
            prompts=parts.answer_prompts(model),
            prices=parts.prices,
            logprobs=tier == "small" and reads_logprobs(parts.verifier),
        )

    verify = verify_node(parts.verifier, None, prompts=parts.prompts, prices=parts.prices, large=parts.large.label)
    return draft("small"), verify, draft("large")


def _merged(state: AutomixState, update: Mapping[str, object]) -> AutomixState:
    return cast("AutomixState", {**state, **update})


def _incomplete(record: Record) -> str | None:
    """Return what a record lacks: an answer, or the judgement of a judge that could not be reached.

    A judge that was reached and decided nothing is no failure: it is what a cascade would have had to go by.
    """
    reasons = [
        f"the {tier} model gave no answer: {[call.error for call in record.calls if call.stage == stage][-1]}"
        for tier, stage in STAGES.items()
        if record.draft(tier) is None
    ]
    judged = record.verifications[-1]
    if judged.failure is not None and any(call.stage == "verify" and call.error for call in record.calls):
        reasons.append(f"the verifier came to no judgement: {judged.failure}")
    return "; ".join(reasons) or None
