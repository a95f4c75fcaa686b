"""From models, a retriever, a verifier and a policy to a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from automix_graph.config import DEFAULT_K
from automix_graph.costs import Price, Prices
from automix_graph.errors import ConfigurationError
from automix_graph.graph.defaults import choose_policy, choose_verifier
from automix_graph.graph.nodes import OnLargeFailure, large_answer_node, retrieve_node, small_answer_node, verify_node
from automix_graph.graph.routing import route_verified
from automix_graph.graph.state import AutomixInput, AutomixOutput, AutomixState
from automix_graph.models.calling import NamedModel, named
from automix_graph.policies import Policy
from automix_graph.prompts import Layout, PromptChoice, Prompts
from automix_graph.verification import Verifier
from automix_graph.verification.verifier import models_of, reads_logprobs

Retriever = Runnable[str, list[Document]] | VectorStore
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
        policy: what to do with the verification. None: keep the answer exactly if the verdict is CORRECT.
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
    small_model, large_model = named(small), named(large)
    judge = choose_verifier(verifier, small=small_model, large=large_model)
    ledger_prices = _known_prices(prices, small_model, large_model, judge)
    prompts = PromptChoice.of(language, layout)

    graph: Graph = StateGraph(AutomixState, input_schema=AutomixInput, output_schema=AutomixOutput)
    graph.add_node("retrieve", retrieve_node(_as_retriever(retriever), prompts=prompts))
    graph.add_node(
        "small_answer",
        small_answer_node(
            small_model,
            prompts=_answer_prompts(prompts, small_model, judge),
            prices=ledger_prices,
            logprobs=reads_logprobs(judge),
        ),
    )
    graph.add_node("verify", verify_node(judge, choose_policy(policy), prompts=prompts, prices=ledger_prices))
    graph.add_node(
        "large_answer",
        large_answer_node(
            large_model,
            prompts=_answer_prompts(prompts, large_model, judge),
            prices=ledger_prices,
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


def _known_prices(
    prices: Mapping[str, Price | Sequence[float]] | None, small: NamedModel, large: NamedModel, judge: Verifier
) -> Prices:
    known = Prices(prices)
    judges = models_of(judge)
    if judges is None:
        return known  # a verifier that does not say whom it calls may charge under any label
    labels = {small.label, large.label, *(model.label for model in judges)}
    if not known.labels <= labels:
        raise ConfigurationError(
            f"prices name {sorted(known.labels - labels)}, which this graph does not call; its models are "
            f"{sorted(labels)}"
        )
    return known


def _answer_prompts(prompts: PromptChoice, model: NamedModel, judge: Verifier) -> PromptChoice:
    """Return what a model is asked for an answer: the layout of the graph is for models that also judge."""
    judges = models_of(judge) or ()
    return prompts if any(model.label == other.label for other in judges) else prompts.in_layout("document")


def _as_retriever(retriever: Any) -> Runnable[str, list[Document]]:
    if isinstance(retriever, VectorStore):
        return retriever.as_retriever(search_kwargs={"k": DEFAULT_K})
    if isinstance(retriever, Runnable):
        return retriever
    raise ConfigurationError(
        f"retriever is {retriever!r}; give a LangChain retriever, a vector store, or any Runnable that takes a "
        "question and returns a list of Documents"
    )
