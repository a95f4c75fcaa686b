"""Which nodes there are, and which edges: the shape of the graph.

A node behind which there is more than one way decides which is taken, and says so with what it writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from automix_graph.graph.ahead import Ahead
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.call_settings import AutomixContext
from automix_graph.graph.commit import Ending
from automix_graph.graph.condense import CONDENSE, condense_node
from automix_graph.graph.deciding import Deciding
from automix_graph.graph.draft import OnLargeFailure, draft_node, last_answer_node
from automix_graph.graph.limiting import Limiting
from automix_graph.graph.parts import Parts, TierParts
from automix_graph.graph.remembering import RememberingVerifier
from automix_graph.graph.retrieve import OnRetrieverFailure, retrieve_node
from automix_graph.graph.review import review_node
from automix_graph.graph.routing import review_stage, ways_after, ways_retrieved
from automix_graph.graph.state import AutomixInput, AutomixOutput, AutomixState, BeginningInput, RecordInput
from automix_graph.graph.verify import verify_node
from automix_graph.records import answer_stage, verify_stage
from automix_graph.verification import Verifier

Graph = StateGraph[AutomixState, AutomixContext, AutomixInput, AutomixOutput]
CompiledGraph = CompiledStateGraph[AutomixState, AutomixContext, AutomixInput, AutomixOutput]


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the nodes of a cascade are made of.

    Attributes:
        parts: who answers, who judges, with which prompts.
        limiting: what a question may cost.
        ending: how it ends.
        deciding: who decides about drafts.
        on_large_failure: what is done where the last model fails.
        on_retriever_failure: what is done where no passages can be fetched.
        ahead: begins the last answer before it is needed; None: it has time.
        cache: of answers and verifications; None: there is none.
        shadow: whether the last model answers everything, and no other is asked here.
    """

    parts: Parts
    limiting: Limiting
    ending: Ending
    deciding: Deciding
    on_large_failure: OnLargeFailure
    on_retriever_failure: OnRetrieverFailure
    ahead: Ahead | None
    cache: AnswerCache | None
    shadow: bool = False

    @property
    def _asked(self) -> tuple[TierParts, ...]:
        return self.parts.tiers[-1:] if self.shadow else self.parts.tiers

    def graph(self, retriever: Runnable[str, list[Document]], *, condense: bool) -> Graph:
        """Return the graph, not compiled.

        Args:
            retriever: fetches the passages.
            condense: whether follow-up questions are made to stand alone first.
        """
        graph: Graph = StateGraph(
            AutomixState, context_schema=AutomixContext, input_schema=AutomixInput, output_schema=AutomixOutput
        )
        self._add_retrieval(graph, retriever, condense=condense)
        for position, tier in enumerate(self._asked):
            if tier.verifier is None:
                self._add_last(graph, tier)
            else:
                self._add_judged(graph, position, tier, tier.verifier)
        return graph

    def _add_retrieval(self, graph: Graph, retriever: Runnable[str, list[Document]], *, condense: bool) -> None:
        prompts, first = self.parts.prompts, self._asked[0]
        names = [tier.name for tier in self._asked]
        retrieving = retrieve_node(
            retriever,
            prompts=prompts,
            limiting=self.limiting,
            on_failure=self.on_retriever_failure,
            tiers=names,
        )
        if self.on_retriever_failure == "answer":
            graph.add_node("retrieve", retrieving, input_schema=BeginningInput, destinations=ways_retrieved(names))
        else:
            graph.add_node("retrieve", retrieving, input_schema=BeginningInput)
            graph.add_edge("retrieve", answer_stage(first.name))
        if condense:
            condensing = condense_node(first.model, prompts=prompts, limiting=self.limiting)
            graph.add_node(CONDENSE, condensing, input_schema=BeginningInput)
            graph.add_edge(START, CONDENSE)
        graph.add_edge(CONDENSE if condense else START, "retrieve")

    def _add_judged(self, graph: Graph, position: int, tier: TierParts, verifier: Verifier) -> None:
        names = [each.name for each in self.parts.tiers]
        answer, verify = answer_stage(tier.name), verify_stage(tier.name)
        prompts = self.parts.answer_prompts(tier.model)
        cache = self.cache
        judging = verify_node(
            verifier if cache is None else RememberingVerifier(verifier, cache, policy=self.deciding.policy),
            tier.name,
            deciding=self.deciding,
            prompts=self.parts.prompts,
            limiting=self.limiting,
            ahead=self.ahead if position == len(names) - 2 else None,
        )
        drafting = draft_node(tier, prompts=prompts, limiting=self.limiting, cache=cache)
        graph.add_node(answer, drafting, input_schema=RecordInput)
        review = bool(self.deciding.reviewed)
        ways = ways_after(position, names, review=review)
        graph.add_node(verify, judging, input_schema=RecordInput, destinations=ways)
        graph.add_edge(answer, verify)
        if review:
            asking = review_node(tier.name, deciding=self.deciding)
            ways = ways_after(position, names)
            graph.add_node(review_stage(tier.name), asking, input_schema=RecordInput, destinations=ways)

    def _add_last(self, graph: Graph, tier: TierParts) -> None:
        node = last_answer_node(
            tier,
            prompts=self.parts.answer_prompts(tier.model),
            limiting=self.limiting,
            ending=self.ending,
            on_failure=self.on_large_failure,
            ahead=self.ahead,
            cache=self.cache,
        )
        graph.add_node(answer_stage(tier.name), node, input_schema=RecordInput)
        graph.add_edge(answer_stage(tier.name), END)
