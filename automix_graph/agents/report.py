"""What an agent's state and messages say about the cascade: plain data, so that every checkpointer can store it.

The report in the state is about one run of the agent. It never holds the text of a draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired

from langchain.agents.middleware.types import AgentState, OmitFromSchema
from typing_extensions import TypedDict  # pydantic makes schemas of typing.TypedDict only from Python 3.12

MESSAGE_KEY: Final = "automix"
"""Where the ``response_metadata`` of a message says what became of the draft."""


AgentRoute = Literal["small", "large", "abstain"]
"""Where a model call of an agent ended."""


class AutoMixStep(TypedDict):
    """What one model call of the agent came to.

    Attributes:
        route: whose message the agent got, ``"small"`` or ``"large"``; ``"abstain"`` where the policy gave the question
            up and the agent got a fixed sentence.
        verdict: of the small model's answer; None where nobody judged it, since it calls tools.
        confidence: the verifier's estimate in [0, 1] that the small model's answer is correct; None where there is
            none.
        reason: why the message of that model is the one.
        degraded: whether the large model failed and a rejected answer is the best there is.
        cost: of the model calls of this step, in USD; None where a price or a token count is unknown.
    """

    route: AgentRoute
    verdict: Literal["CORRECT", "INCORRECT", "UNPARSED"] | None
    confidence: float | None
    reason: str
    degraded: bool
    cost: float | None


class AutoMixReport(AutoMixStep):
    """What a run of the agent came to: the last step, and what all of them cost.

    Attributes:
        cost: of all model calls of the run, in USD; None where a price or a token count is unknown.
        usage: the ledger: every call with its tokens, seconds and cost, and their sums; see
            `automix_graph.costs.ledger.summarise`.
        steps: one for each model call that the agent asked for, the last one included.
    """

    usage: dict[str, Any]
    steps: list[AutoMixStep]


class AutoMixState(AgentState[Any]):
    """The state of an agent with `automix_graph.agents.AutoMixMiddleware`.

    Attributes:
        automix: the report on the run so far; None before its first model call.
    """

    automix: NotRequired[Annotated[AutoMixReport | None, OmitFromSchema(input=True, output=False)]]


def reported(previous: AutoMixReport | None, step: AutoMixStep, usage: Mapping[str, Any]) -> AutoMixReport:
    """Return the report with one more step.

    Args:
        previous: the report so far.
        step: what happened.
        usage: the ledger of the step.
    """
    report: AutoMixReport = {**step, "usage": dict(usage), "steps": [step]}
    if previous is None:
        return report
    return {
        **report,
        "cost": _sum(previous["cost"], step["cost"]),
        "usage": added(previous["usage"], usage),
        "steps": [*previous["steps"], step],
    }


def added(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger of two ledgers' calls: calls are listed, numbers summed, and unknown sums stay unknown.

    Example:
        >>> added({"calls": ["a"], "seconds": 1.0, "saved": 2.0}, {"calls": ["b"], "seconds": 0.5, "saved": None})
        {'calls': ['a', 'b'], 'seconds': 1.5, 'saved': None}
    """
    return {name: _sum(value, second[name]) for name, value in first.items()}


def _sum(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return None
    return first or second if isinstance(first, bool) else first + second
