"""From models, a retriever, a verifier and a policy to a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from automix_graph.costs import Price
from automix_graph.errors import ConfigurationError
from automix_graph.graph.defaults import choose_policy
from automix_graph.graph.nodes import OnLargeFailure, large_answer_node, retrieve_node, small_answer_node, verify_node
from automix_graph.graph.parts import Parts, Retriever, as_retriever
from automix_graph.graph.policy_check import require_made_for
from automix_graph.graph.routing import route_verified
from automix_graph.graph.state import AutomixInput, AutomixOutput, AutomixState
from automix_graph.policies import Policy
from automix_graph.prompts import Layout, Prompts
from automix_graph.verification import Verifier
from automix_graph.verification.verifier import reads_logprobs

Graph = StateGraph[AutomixState, None, AutomixInput, AutomixOutput]
CompiledGraph = CompiledStateGraph[AutomixState, None, AutomixInput, AutomixOutput]


def build_automix(
    *,
    small: str | BaseChatModel,
    large: str | BaseChatModel,
    retriever: Retriever,
    verifier: str | BaseChatModel | Verifier | None = None,
    policy: Policy | None = None,
    language: str | Path | Prompts = "auto",
    layout: Layout | None = None,
    prices: Mapping[str, Price | Sequence[float]] | None = None,
    on_large_failure: OnLargeFailure = "degrade",
) -> Graph:
    """Build the graph, to be extended or compiled with a checkpointer.

    Args:
        small: the model that answers first: ``"provider:model"``, ``"local:NAME"`` or any LangChain chat model.
        large: the model that is asked where the small answer is not good enough.
        retriever: any retriever, vector store or ``Runnable[str, list[Document]]``.
        verifier: who judges the small answer. None: the large model, with one short verdict (the embedded large model:
            by the likelihood of the answer, on the scale that was measured for it). ``"small"``, ``"large"``, a
            model's name or a chat model: that model. Or any `Verifier`, or a function or Runnable that returns a
            score, see `FunctionVerifier`.
        policy: what to do with the verification. None: keep the answer exactly if the verdict is CORRECT. One that was
            calibrated and loaded from its file is refused if it was made for other models, prompts or another verifier.
        language: of the prompts: ``"en"``, ``"zh"``, or ``"auto"`` to choose from each question; or the
            `pathlib.Path` of a folder with prompts in another language, or `Prompts` that you have changed.
        layout: of the prompts of a model that judges: ``"shared"`` puts all that judging and answering have in common
            first, so that a prompt cache serves the second read; ``"document"`` is the order of the AutoMix prompt.
            None: that of the `Prompts` given as language, else ``"shared"``.
        prices: USD per million tokens by model label, where list prices do not apply.
        on_large_failure: ``"degrade"`` returns the rejected small answer marked ``degraded``, ``"raise"`` raises.

    Returns:
        The graph, not compiled.

    Raises:
        ConfigurationError: an argument cannot be used as given.
        MissingExtraError: a model needs a package that is not installed.
        ModelFileError: a local model's weights are missing or damaged.
    """
    if on_large_failure not in get_args(OnLargeFailure):
        raise ConfigurationError(f"on_large_failure is {on_large_failure!r}; use 'degrade' or 'raise'")
    parts = Parts.of(small=small, large=large, verifier=verifier, language=language, layout=layout, prices=prices)
    follows = choose_policy(policy)
    require_made_for(follows, parts)
    graph: Graph = StateGraph(AutomixState, input_schema=AutomixInput, output_schema=AutomixOutput)
    graph.add_node("retrieve", retrieve_node(as_retriever(retriever), prompts=parts.prompts))
    graph.add_node(
        "small_answer",
        small_answer_node(
            parts.small,
            prompts=parts.answer_prompts(parts.small),
            prices=parts.prices,
            logprobs=reads_logprobs(parts.verifier),
        ),
    )
    graph.add_node(
        "verify",
        verify_node(
            parts.verifier,
            follows,
            prompts=parts.prompts,
            prices=parts.prices,
            large=parts.large.label,
        ),
    )
    graph.add_node(
        "large_answer",
        large_answer_node(
            parts.large,
            prompts=parts.answer_prompts(parts.large),
            prices=parts.prices,
            on_failure=on_large_failure,
        ),
    )
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "small_answer")
    graph.add_edge("small_answer", "verify")
    graph.add_conditional_edges("verify", route_verified, {"return": END, "large_answer": "large_answer"})
    graph.add_edge("large_answer", END)
    return graph


def create_automix(
    *,
    small: str | BaseChatModel,
    large: str | BaseChatModel,
    retriever: Retriever,
    verifier: str | BaseChatModel | Verifier | None = None,
    policy: Policy | None = None,
    language: str | Path | Prompts = "auto",
    layout: Layout | None = None,
    prices: Mapping[str, Price | Sequence[float]] | None = None,
    on_large_failure: OnLargeFailure = "degrade",
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
        retriever=retriever,
        verifier=verifier,
        policy=policy,
        language=language,
        layout=layout,
        prices=prices,
        on_large_failure=on_large_failure,
    )
    return graph.compile(name="automix")
