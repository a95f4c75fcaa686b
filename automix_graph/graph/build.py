"""From models, a retriever, a verifier and a policy to a graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from langchain_core.language_models import BaseChatModel
from langgraph.cache.base import BaseCache

from automix_graph.costs import Limits, Price
from automix_graph.errors import ConfigurationError
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.behind import Behind, Mode, Taking, require_consistent
from automix_graph.graph.commit import Ending
from automix_graph.graph.completing import Completing
from automix_graph.graph.deciding import Deciding, Reviewed
from automix_graph.graph.defaults import choose_policy
from automix_graph.graph.draft import OnLargeFailure, ahead_of
from automix_graph.graph.limiting import Limiting, require_prices
from automix_graph.graph.parts import Parts, Retriever, Tiers, as_retriever
from automix_graph.graph.policy_check import require_made_for
from automix_graph.graph.retrieve import OnRetrieverFailure
from automix_graph.graph.wiring import CompiledGraph, Graph, Wiring
from automix_graph.models.retrying import Retries
from automix_graph.policies import Policy
from automix_graph.prompts import Layout, Prompts
from automix_graph.verification import Verifier

__all__ = ["CompiledGraph", "Graph", "build_automix", "create_automix"]


def build_automix(
    *,
    small: str | BaseChatModel | None = None,
    large: str | BaseChatModel | None = None,
    tiers: Tiers | None = None,
    retriever: Retriever,
    verifier: str | BaseChatModel | Verifier | None = None,
    policy: Policy | None = None,
    language: str | Path | Prompts = "auto",
    layout: Layout | None = None,
    prices: Mapping[str, Price | Sequence[float]] | None = None,
    on_large_failure: OnLargeFailure = "degrade",
    on_retriever_failure: OnRetrieverFailure = "raise",
    retries: Retries | None = None,
    condense: bool = False,
    review: Collection[Reviewed] = (),
    limits: Limits | None = None,
    speculative: bool = False,
    cache: BaseCache[Any] | AnswerCache | None = None,
    mode: Mode = "cascade",
    shadow_rate: float | None = None,
    audit_rate: float = 0.0,
    background: Taking | None = None,
) -> Graph:
    """Build the graph, to be extended or compiled with a checkpointer.

    Args:
        small: the model that answers first: ``"provider:model"``, ``"openai:MODEL@ADDRESS"`` for a server of your own,
            ``"local:NAME"`` or any LangChain chat model.
        large: the model that is asked where the small answer is not good enough.
        tiers: two or more models in place of `small` and `large`, cheapest first. All but the last are judged, and a
            policy may skip some; a `ModelTier` has a verifier of its own.
        retriever: any retriever, vector store or ``Runnable[str, list[Document]]``.
        verifier: who judges the answers. None: the large model, with one short verdict (the embedded large model: by
            the likelihood of the answer, on the scale that was measured for it). ``"small"`` (the first of more than
            two), ``"large"`` (the last), a model's name or a chat model: that model. Or any `Verifier`, or a function
            or Runnable that returns a score, see `FunctionVerifier`.
        policy: what to do with the verification. None: keep the answer exactly if the verdict is CORRECT. One that may
            abstain ends such questions with the route ``"abstain"``. One that was calibrated and loaded from its file
            is refused if it was made for other models, prompts or another verifier.
        language: of the prompts: ``"en"``, ``"zh"``, or ``"auto"`` to choose from each question; or the
            `pathlib.Path` of a folder with prompts in another language, or `Prompts` that you have changed.
        layout: of the prompts of a model that judges: ``"shared"`` puts all that judging and answering have in common
            first, so that a prompt cache serves the second read; ``"document"`` is the order of the AutoMix prompt.
            None: that of the `Prompts` given as language, else ``"shared"``.
        prices: USD per million tokens by model label, where list prices do not apply.
        on_large_failure: of the last model: ``"degrade"`` returns the best rejected answer marked ``degraded``,
            ``"raise"`` raises.
        on_retriever_failure: ``"raise"`` raises its error; ``"answer"`` lets the last model answer without passages,
            unjudged, and marks that as ``degraded``.
        retries: what is done about models that fail for a reason that may pass. None: `Retries` for models given by
            name, nothing for chat models of your own. Those that retry by themselves are never retried here.
        condense: whether the small model first makes a follow-up question of a conversation stand alone.
        review: decisions that a person is asked about before they are followed, ``"escalate"`` or ``"abstain"`` or
            both: the graph stops with an interrupt, and is resumed with ``Command(resume="accept")``, ``"escalate"``
            or ``"abstain"``. Needs a checkpointer.
        limits: ceilings on the cost, the calls and the seconds of a question; None: there are none.
        speculative: whether the last model begins its answer while the draft before it is judged. It saves time where
            that is rejected, and costs a call where it is kept; such a call is cancelled, its cost unknown.
        cache: a cache of LangGraph's, or an `AnswerCache` of one, in which answers and verifications are kept for when
            the same is asked again with the same passages, prompts, models, verifier and policy.
        mode: ``"cascade"``, or ``"shadow"``: the last model answers every question, and a share of them is put to the
            other models and their judges in the background, for the records to calibrate on.
        shadow_rate: that share in shadow mode, in [0, 1]; None: all.
        audit_rate: share of the questions of a cascade that is recorded, in [0, 1]; an answer that was kept is first
            compared with the last model's, which is asked for it in the background.
        background: `automix_graph.Background`: where the records go, and what this may cost. Graphs may share one.

    Returns:
        The graph, not compiled.

    Raises:
        ConfigurationError: an argument cannot be used as given.
        MissingExtraError: a model needs a package that is not installed.
        ModelFileError: a local model's weights are missing or damaged.
    """
    _check_choices(on_large_failure, on_retriever_failure, review, speculative=speculative)
    require_consistent(mode, shadow_rate=shadow_rate, audit_rate=audit_rate, background=background)
    _refuse_in_shadow(mode, review=review, speculative=speculative)
    parts = Parts.of(
        small=small,
        large=large,
        tiers=tiers,
        verifier=verifier,
        language=language,
        layout=layout,
        prices=prices,
        retries=retries,
    )
    follows = choose_policy(policy)
    require_made_for(follows, parts)
    require_prices(limits, parts.prices, parts.labels)
    kept = AnswerCache.of(cache)
    behind = None
    if background is not None:
        require_prices(Limits(max_cost=background.max_cost), parts.prices, parts.labels)
        behind = Behind(
            mode=mode,
            rate=audit_rate if mode == "cascade" else 1.0 if shadow_rate is None else shadow_rate,
            taking=background,
            complete=Completing(parts, follows, mode=mode),
            prices=parts.prices,
        )
    ending = Ending(large=parts.large.label, prices=parts.prices, prompts=parts.prompts, behind=behind)
    wiring = Wiring(
        parts=parts,
        limiting=Limiting(limits=limits, prices=parts.prices),
        ending=ending,
        deciding=Deciding(policy=follows, tiers=len(parts.tiers), ending=ending, reviewed=frozenset(review)),
        on_large_failure=on_large_failure,
        on_retriever_failure=on_retriever_failure,
        ahead=ahead_of(parts.tiers[-1], prompts=parts.answer_prompts(parts.large), cache=kept) if speculative else None,
        cache=kept,
        shadow=mode == "shadow",
    )
    return wiring.graph(as_retriever(retriever), condense=condense)


def _check_choices(
    on_large_failure: object, on_retriever_failure: object, review: object, *, speculative: bool
) -> None:
    if on_large_failure not in get_args(OnLargeFailure):
        raise ConfigurationError(f"on_large_failure is {on_large_failure!r}; use 'degrade' or 'raise'")
    if on_retriever_failure not in get_args(OnRetrieverFailure):
        raise ConfigurationError(f"on_retriever_failure is {on_retriever_failure!r}; use 'raise' or 'answer'")
    known = get_args(Reviewed)
    if not isinstance(review, Collection) or isinstance(review, str) or not set(review) <= set(known):
        raise ConfigurationError(f"review is {review!r}; give some of {', '.join(map(repr, known))}, as in ['abstain']")
    if review and speculative:
        raise ConfigurationError(
            "review and speculative are given; an answer cannot be on its way while a person thinks"
        )


def _refuse_in_shadow(mode: Mode, *, review: Collection[Reviewed], speculative: bool) -> None:
    given = [name for name, value in (("review", review), ("speculative", speculative)) if value]
    if mode == "shadow" and given:
        raise ConfigurationError(
            f"mode is 'shadow' and {given[0]} is given; no draft is decided about before users get their answer"
        )


def create_automix(
    *,
    small: str | BaseChatModel | None = None,
    large: str | BaseChatModel | None = None,
    tiers: Tiers | None = None,
    retriever: Retriever,
    verifier: str | BaseChatModel | Verifier | None = None,
    policy: Policy | None = None,
    language: str | Path | Prompts = "auto",
    layout: Layout | None = None,
    prices: Mapping[str, Price | Sequence[float]] | None = None,
    on_large_failure: OnLargeFailure = "degrade",
    on_retriever_failure: OnRetrieverFailure = "raise",
    retries: Retries | None = None,
    condense: bool = False,
    review: Collection[Reviewed] = (),
    limits: Limits | None = None,
    speculative: bool = False,
    cache: BaseCache[Any] | AnswerCache | None = None,
    mode: Mode = "cascade",
    shadow_rate: float | None = None,
    audit_rate: float = 0.0,
    background: Taking | None = None,
) -> CompiledGraph:
    """Build and compile the graph; see `build_automix` for the arguments and errors.

    Returns:
        A compiled LangGraph graph: ``graph.invoke({"question": "..."})`` gives a dict with ``answer``, ``route``,
        ``confidence``, ``verdict``, ``documents``, ``usage``, ``cost`` and ``degraded``.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel, StaticRetriever
        >>> graph = create_automix(
        ...     small=ScriptedChatModel(["Shakespeare"]),
        ...     large=ScriptedChatModel(["The AI generated answer is Correct."]),
        ...     retriever=StaticRetriever(["The manuscript is a lost work of Shakespeare."]),
        ... )
        >>> result = graph.invoke({"question": "Whose work is the manuscript?"})
        >>> result["answer"], result["route"], result["verdict"]
        ('Shakespeare', 'small', 'CORRECT')
    """
    graph = build_automix(
        small=small,
        large=large,
        tiers=tiers,
        retriever=retriever,
        verifier=verifier,
        policy=policy,
        language=language,
        layout=layout,
        prices=prices,
        on_large_failure=on_large_failure,
        on_retriever_failure=on_retriever_failure,
        retries=retries,
        condense=condense,
        review=review,
        limits=limits,
        speculative=speculative,
        cache=cache,
        mode=mode,
        shadow_rate=shadow_rate,
        audit_rate=audit_rate,
        background=background,
    )
    compiled = graph.compile(name="automix")
    # So that what stands behind it in a pipe is streamed the answer, and not what each node has written.
    compiled.stream_mode = "values"
    return compiled
