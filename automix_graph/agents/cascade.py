"""The cascade over one model call of an agent: what the judge is asked, what is decided, and what the agent gets.

Nothing here calls a model; `automix_graph.agents.middleware` does, between these steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware.types import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage

from automix_graph.agents.ending import Ending
from automix_graph.agents.evidence import passages_of, question_of
from automix_graph.agents.judged import Judged
from automix_graph.agents.replies import Reply
from automix_graph.graph.progress import emit
from automix_graph.graph.routing import next_position
from automix_graph.models.calling import NamedModel
from automix_graph.policies import Policy, decide
from automix_graph.prompts import PromptChoice
from automix_graph.records import FIRST, LAST, Decision, Verification
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.verifier import failed, reads_logprobs


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """What the model calls of an agent go through.

    Attributes:
        small: the model that answers first.
        large: the model that answers where the small one is not good enough.
        verifier: who judges the small model's answers.
        prompts: of the judge.
        policy: decides about drafts.
        ending: what the agent gets.
        degrades: whether a rejected draft takes the place of a large answer that failed.
    """

    small: NamedModel
    large: NamedModel
    verifier: Verifier
    prompts: PromptChoice
    policy: Policy
    ending: Ending
    degrades: bool

    def drafting(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        """Return the request for a draft: the agent's own, with log-probabilities where the verifier reads them."""
        if not reads_logprobs(self.verifier):
            return request
        return request.override(model_settings={**request.model_settings, "logprobs": True})

    def case(self, request: ModelRequest[Any], draft: Reply) -> Case | Judgement:
        """Return what the verifier is to judge, or the judgement that there is nothing to judge, or to judge by."""
        question = question_of(request.messages)
        passages = passages_of(request)
        if draft.kind != "answer":
            return _unjudged("the small model gave no answer")
        if question is None:
            return _unjudged("there is no human message to judge the answer by")
        if not passages:
            return _unjudged("there are no results of tools to judge the answer by")
        return Case(
            question=question,
            passages=passages,
            answer=draft.answer,
            prompts=self.prompts.of_question(question),
            logprobs=draft.attempt.logprobs,
            goes=lambda verification: _goes(self._decision(request, verification)),
        )

    def judged(self, request: ModelRequest[Any], draft: Reply, judgement: Judgement) -> Judged:
        """Apply the policy, and announce what it decided.

        Raises:
            ConfigurationError: it names a tier that there is not.
        """
        verification = judgement.verification
        decision = self._decision(request, verification)
        next_position(decision, position=0, tiers=2)
        # A fixed sentence has no format, and an agent that has to have one would ask for it again and again.
        abstained = decision.abstain and request.response_format is None
        judged = Judged(draft=draft, judgement=judgement, decision=decision, abstained=abstained)
        emit(
            "verified",
            tier=FIRST,
            verdict=verification.verdict.value,
            confidence=verification.confidence,
            accept=judged.kept,
            reason=decision.reason,
        )
        if not judged.kept and not abstained:
            emit("escalated", tier=LAST)
        return judged

    def settled(self, request: ModelRequest[Any], judged: Judged) -> ExtendedModelResponse[Any] | None:
        """Return what the agent gets without the large model; None where that is to be asked."""
        if judged.kept and judged.draft.response is not None:
            return self.ending.end(request, judged.draft.response, route="small", judged=judged)
        if judged.abstained:
            words = self.prompts.of_question(question_of(request.messages) or "").words
            sentence = ModelResponse[Any](result=[AIMessage(words.abstention)])
            return self.ending.end(request, sentence, route="abstain", judged=judged)
        return None

    def escalated(self, request: ModelRequest[Any], judged: Judged, large: Reply) -> ExtendedModelResponse[Any]:
        """Return the large model's message to the agent; or the rejected draft, if there is no such message.

        Raises:
            Exception: what the large model raised, if there is no draft to take its place, or none may.
        """
        draft = judged.draft
        if large.failed and self.degrades and draft.kind == "answer" and draft.response is not None:
            return self.ending.end(request, draft.response, route="small", judged=judged, large=large)
        if large.response is not None:
            return self.ending.end(request, large.response, route="large", judged=judged, large=large)
        error = large.attempt.error
        assert error is not None, "a call gives a response or an error"
        # The model's own error: other middleware, which retries or falls back, knows it, and not ours.
        raise error.__cause__ or error

    def _decision(self, request: ModelRequest[Any], verification: Verification) -> Decision:
        return decide(self.policy, (verification,), question=question_of(request.messages))


def _goes(decision: Decision) -> tuple[bool, bool]:
    """Return where a question goes: to its end with the draft, to its end without an answer, or else on."""
    return decision.accept, decision.abstain


def _unjudged(reason: str) -> Judgement:
    return Judgement(verification=failed("none", reason))
