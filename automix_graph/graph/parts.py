"""What a cascade is made of, from the arguments that users give: models, verifier, prompts and prices, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore

from automix_graph.config import DEFAULT_K
from automix_graph.costs import Price, Prices
from automix_graph.errors import ConfigurationError
from automix_graph.graph.defaults import choose_verifier
from automix_graph.models.calling import NamedModel, named
from automix_graph.prompts import Layout, PromptChoice, Prompts
from automix_graph.verification import Verifier
from automix_graph.verification.verifier import models_of

Retriever = Runnable[str, list[Document]] | VectorStore


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a cascade but for its retriever and its policy.

    Attributes:
        small: the model that answers first.
        large: the model that answers where the small one is not good enough.
        verifier: who judges the small answer.
        prompts: of a model that judges.
        prices: of all tokens.
    """

    small: NamedModel
    large: NamedModel
    verifier: Verifier
    prompts: PromptChoice
    prices: Prices

    @classmethod
    def of(
        cls,
        *,
        small: str | BaseChatModel,
        large: str | BaseChatModel,
        verifier: str | BaseChatModel | Verifier | None,
        language: str | Path | Prompts,
        layout: Layout | None,
        prices: Mapping[str, Price | Sequence[float]] | None,
    ) -> Self:
        """Return the parts that the arguments of `build_automix` name.

        Raises:
            ConfigurationError: an argument cannot be used as given.
            MissingExtraError: a model needs a package that is not installed.
            ModelFileError: a local model's weights are missing or damaged.
        """
        small_model, large_model = named(small), named(large)
        judge = choose_verifier(verifier, small=small_model, large=large_model)
        return cls(
            small=small_model,
            large=large_model,
            verifier=judge,
            prompts=PromptChoice.of(language, layout),
            prices=_known_prices(prices, small_model, large_model, judge),
        )

    def answer_prompts(self, model: NamedModel) -> PromptChoice:
        """Return what a model is asked for an answer: the layout of the graph is for models that also judge."""
        judges = models_of(self.verifier) or ()
        also_judges = any(model.label == other.label for other in judges)
        return self.prompts if also_judges else self.prompts.in_layout("document")


def as_retriever(retriever: Any) -> Runnable[str, list[Document]]:
    """Return what fetches passages; a vector store gives `DEFAULT_K` of them.

    Raises:
        ConfigurationError: it cannot fetch any.
    """
    if isinstance(retriever, VectorStore):
        return retriever.as_retriever(search_kwargs={"k": DEFAULT_K})
    if isinstance(retriever, Runnable):
        return retriever
    raise ConfigurationError(
        f"retriever is {retriever!r}; give a LangChain retriever, a vector store, or any Runnable that takes a "
        "question and returns a list of Documents"
    )


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
