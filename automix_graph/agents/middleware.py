"""The cascade as middleware of LangChain's ``create_agent``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from langchain.agents.middleware.types import (
    AgentMiddleware,
    ContextT,
    ExtendedModelResponse,
    ModelRequest,
    ResponseT,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from automix_graph.agents.cascade import Cascade
from automix_graph.agents.ending import Ending
from automix_graph.agents.judged import Judged
from automix_graph.agents.replies import AsyncHandler, Handler, aask_model, ask_model
from automix_graph.agents.report import AutoMixState
from automix_graph.costs import Price, Prices
from automix_graph.errors import ConfigurationError
from automix_graph.graph.defaults import choose_policy
from automix_graph.graph.draft import OnLargeFailure
from automix_graph.graph.parts import Parts
from automix_graph.graph.policy_check import require_made_for
from automix_graph.graph.quiet import aquietly, quietly
from automix_graph.policies import Policy
from automix_graph.prompts import Prompts
from automix_graph.records import FIRST, LAST, answer_stage
from automix_graph.verification import Judgement, Verifier
from automix_graph.verification.asking import aask, ask


class AutoMixMiddleware(AgentMiddleware[AutoMixState, ContextT, ResponseT]):
    """Answer with a small model, have the answer judged by the tools' results, and ask the large model where needed.

    Each model call of the agent is a cascade of its own. The small model answers, with the agent's tools, system prompt
    and response format. A draft that calls tools is not judged: the agent runs them. Any other draft is judged by the
    results of tools in the conversation, and returned if the policy accepts it; else the large model is asked the same.
    Without a judgement the draft never counts: where no tool has given a result, where there is no answer, and where
    the verifier failed, the large model is asked.

    Rejected drafts and the judge's words reach neither the agent's messages nor its streams. The key ``automix`` of the
    agent's state tells of the run, see `AutoMixReport`, and ``response_metadata["automix"]`` of each message what
    became of its draft.

    Args:
        small: the model that answers first: ``"provider:model"``, ``"openai:MODEL@ADDRESS"`` for a server of your own,
            ``"local:NAME"`` or any LangChain chat model.
        large: the model that is asked where the small answer is not good enough; None is the agent's own.
        verifier: who judges, as for `automix_graph.create_automix`; None is the large model.
        policy: what to do with the verification. None: keep the answer exactly if the verdict is CORRECT. One that may
            abstain ends such a run with a fixed sentence, unless the agent has a response format: then it escalates.
        language: of the judge's prompts: ``"en"``, ``"zh"``, or ``"auto"`` to choose from each question; or the
            `pathlib.Path` of a folder with prompts in another language, or `Prompts` that you have changed.
        prices: USD per million tokens by model label, where list prices do not apply.
        on_large_failure: ``"degrade"`` returns the rejected small answer, marked ``degraded``; ``"raise"``, or where
            there is no such answer, raises the large model's own error, so that middleware that retries can see it.

    Raises:
        ConfigurationError: an argument cannot be used as given.
        MissingExtraError: a model needs a package that is not installed.
        ModelFileError: a local model's weights are missing or damaged.

    Example:
        >>> from langchain.agents import create_agent
        >>> from automix_graph.testing import ScriptedChatModel, ScriptedReply
        >>> def search(query: str) -> str:
        ...     "Search the archive."
        ...     return "The observatory was opened in May 1974."
        >>> searches = ScriptedReply(text="", tool_calls=(("search", {"query": "opened"}),))
        >>> small = ScriptedChatModel([searches, "In 1974."])
        >>> large = ScriptedChatModel(["The AI generated answer is Correct."], label="large")
        >>> agent = create_agent(large, [search], middleware=[AutoMixMiddleware(small=small)])
        >>> result = agent.invoke({"messages": [("user", "When was the observatory opened?")]})
        >>> result["messages"][-1].text, result["automix"]["route"], result["automix"]["verdict"]
        ('In 1974.', 'small', 'CORRECT')
    """

    state_schema = AutoMixState

    def __init__(
        self,
        *,
        small: str | BaseChatModel,
        large: str | BaseChatModel | None = None,
        verifier: str | BaseChatModel | Verifier | None = None,
        policy: Policy | None = None,
        language: str | Path | Prompts = "auto",
        prices: Mapping[str, Price | Sequence[float]] | None = None,
        on_large_failure: OnLargeFailure = "degrade",
    ) -> None:
        super().__init__()
        if on_large_failure not in get_args(OnLargeFailure):
            raise ConfigurationError(f"on_large_failure is {on_large_failure!r}; use 'degrade' or 'raise'")
        self._small = small
        self._verifier = verifier
        self._policy = choose_policy(policy)
        self._language = language
        self._prices = prices
        self._degrades = on_large_failure == "degrade"
        self._given = None if large is None else self._cascade(large)
        self._own: tuple[BaseChatModel, Cascade] | None = None
        if self._given is None:
            # The agent's own model is known only when it is asked; all else is refused now if it cannot be used.
            Prices(prices)
            self._parts(small, None)

    def before_agent(self, state: AutoMixState, runtime: Runtime[ContextT]) -> dict[str, Any]:
        """Forget the report of the run before, on the same thread."""
        return {"automix": None}

    async def abefore_agent(self, state: AutoMixState, runtime: Runtime[ContextT]) -> dict[str, Any]:
        """Forget the report of the run before, asynchronously."""
        return {"automix": None}

    def wrap_model_call(self, request: ModelRequest[ContextT], handler: Handler) -> ExtendedModelResponse[ResponseT]:
        """Answer one model call of the agent."""
        cascade = self._cascade_for(request)

        def draft(config: RunnableConfig) -> Judged:
            drafted = ask_model(cascade.small, cascade.drafting(request), handler, stage=answer_stage(FIRST))
            if drafted.kind == "tools":
                return Judged(draft=drafted)
            case = cascade.case(request, drafted)
            found = case if isinstance(case, Judgement) else ask(cascade.verifier, case, config)
            return cascade.judged(request, drafted, found)

        judged = quietly(draft)
        if (settled := cascade.settled(request, judged)) is not None:
            return settled
        large = ask_model(cascade.large, request, handler, stage=answer_stage(LAST))
        return cascade.escalated(request, judged, large)

    async def awrap_model_call(
        self, request: ModelRequest[ContextT], handler: AsyncHandler
    ) -> ExtendedModelResponse[ResponseT]:
        """Answer one model call of the agent, asynchronously."""
        cascade = self._cascade_for(request)

        async def draft(config: RunnableConfig) -> Judged:
            drafted = await aask_model(cascade.small, cascade.drafting(request), handler, stage=answer_stage(FIRST))
            if drafted.kind == "tools":
                return Judged(draft=drafted)
            case = cascade.case(request, drafted)
            found = case if isinstance(case, Judgement) else await aask(cascade.verifier, case, config)
            return cascade.judged(request, drafted, found)

        judged = await aquietly(draft)
        if (settled := cascade.settled(request, judged)) is not None:
            return settled
        large = await aask_model(cascade.large, request, handler, stage=answer_stage(LAST))
        return cascade.escalated(request, judged, large)

    def _cascade_for(self, request: ModelRequest[ContextT]) -> Cascade:
        if self._given is not None:
            return self._given
        own = self._own
        if own is None or own[0] is not request.model:  # other middleware may change the model between calls
            own = self._own = (request.model, self._cascade(request.model))
        return own[1]

    def _cascade(self, large: str | BaseChatModel) -> Cascade:
        parts = self._parts(large, self._prices)
        require_made_for(self._policy, parts)
        [verifier] = parts.verifiers
        return Cascade(
            small=parts.tiers[0].model,
            large=parts.large,
            verifier=verifier,
            prompts=parts.prompts,
            policy=self._policy,
            ending=Ending(large=parts.large.label, prices=parts.prices),
            degrades=self._degrades,
        )

    def _parts(self, large: str | BaseChatModel, prices: Mapping[str, Price | Sequence[float]] | None) -> Parts:
        return Parts.of(
            small=self._small,
            large=large,
            tiers=None,
            verifier=self._verifier,
            language=self._language,
            layout=None,
            prices=prices,
        )
