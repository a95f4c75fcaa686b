"""How a model call of an agent ends: a message for the agent, and what it took in the agent's state."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware.types import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langgraph.types import Command

from automix_graph.agents.judged import Judged
from automix_graph.agents.replies import Reply
from automix_graph.agents.report import MESSAGE_KEY, AgentRoute, AutoMixReport, AutoMixStep, reported
from automix_graph.costs import Prices, bill_of, summarise, total_cost
from automix_graph.records import Bill, Call


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Ends model calls.

    Attributes:
        large: label of the large model, with whose answers alone the cost is compared.
        prices: of all tokens.
    """

    large: str
    prices: Prices

    def end(
        self,
        request: ModelRequest[Any],
        response: ModelResponse[Any],
        *,
        route: AgentRoute,
        judged: Judged,
        large: Reply | None = None,
    ) -> ExtendedModelResponse[Any]:
        """Return what the agent gets.

        Args:
            request: of the agent.
            response: whose message it gets.
            route: whose message that is.
            judged: the draft.
            large: the reply of the large model; None where it was not asked.
        """
        step, usage = self._charged(route, judged, large)
        previous: AutoMixReport | None = request.state.get("automix")  # type: ignore[assignment]  # see AutoMixState
        report = reported(previous, step, usage)
        return ExtendedModelResponse(
            model_response=_labelled(response, step), command=Command(update={"automix": report})
        )

    def _charged(self, route: AgentRoute, judged: Judged, large: Reply | None) -> tuple[AutoMixStep, dict[str, Any]]:
        judging = judged.judgement.calls if judged.judgement else ()
        drafting, answering = judged.draft.attempt.calls, large.attempt.calls if large else ()
        calls = self.prices.charge((*drafting, *judging, *answering))
        bill = self._bill(calls, (*drafting, *answering))
        verification = judged.judgement.verification if judged.judgement else None
        step = AutoMixStep(
            route=route,
            verdict=verification.verdict.value if verification else None,
            confidence=verification.confidence if verification else None,
            reason=judged.decision.reason if judged.decision else "the draft calls tools",
            degraded=route == "small" and not judged.kept,
            cost=bill.cost,
        )
        return step, summarise(calls, bill)

    def _bill(self, calls: tuple[Call, ...], answering: tuple[Call, ...]) -> Bill:
        # A judge reads a prompt of its own here, so what it read and cached says nothing of what an answer would cost.
        alone = bill_of(answering, large=self.large, prices=self.prices)
        return dataclasses.replace(alone, cost=total_cost(calls), at_least=sum(call.cost or 0.0 for call in calls))


def _labelled(response: ModelResponse[Any], step: AutoMixStep) -> ModelResponse[Any]:
    """Return the response with a message that says what became of the draft."""
    label = {
        "route": step["route"],
        "verdict": step["verdict"],
        "confidence": step["confidence"],
        "degraded": step["degraded"],
    }
    result = [
        message.model_copy(update={"response_metadata": {**message.response_metadata, MESSAGE_KEY: label}})
        if isinstance(message, AIMessage)
        else message
        for message in response.result
    ]
    return dataclasses.replace(response, result=result)
