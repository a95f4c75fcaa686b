"""The parts of a cascade that ask models: who answers, who judges, with which prompts and at which prices."""

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
from automix_graph.models.retrying import Retries
from automix_graph.prompts import Layout, PromptChoice, Prompts
from automix_graph.records import tier_names
from automix_graph.verification import Verifier
from automix_graph.verification.verifier import models_of

Retriever = Runnable[str, list[Document]] | VectorStore


@dataclass(frozen=True, kw_only=True)
class ModelTier:
    """A model of a cascade that has a verifier of its own.

    Attributes:
        model: who answers: ``"provider:model"``, ``"local:NAME"``, any LangChain chat model, or one with its label, see
            `automix_graph.models.named`.
        verifier: who judges its answers, as for `build_automix`; None: whoever judges those of the others. That of the
            last tier is never asked, so give it none.
        fallbacks: who answers in the model's place, in this order, when it fails for a reason that may pass.
        retries: what is done about such failures, as for `build_automix`; None: what is done about those of the others.

    Example:
        >>> ModelTier(model="openai:gpt-5-nano", verifier="small").verifier
        'small'
    """

    model: str | BaseChatModel | NamedModel
    verifier: str | BaseChatModel | NamedModel | Verifier | None = None
    fallbacks: Sequence[str | BaseChatModel] = ()
    retries: Retries | None = None


Tiers = Sequence[str | BaseChatModel | NamedModel | ModelTier]
"""Models, cheapest first."""


@dataclass(frozen=True, kw_only=True)
class TierParts:
    """A tier of a cascade.

    Attributes:
        name: by its place, see `automix_graph.records.tiers.tier_names`.
        model: who answers.
        verifier: who judges the answers; None for the last tier.
    """

    name: str
    model: NamedModel
    verifier: Verifier | None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a cascade but for its retriever and its policy.

    Attributes:
        tiers: cheapest first, at least two.
        prompts: of models that judge.
        prices: of all tokens.
    """

    tiers: tuple[TierParts, ...]
    prompts: PromptChoice
    prices: Prices

    @classmethod
    def of(
        cls,
        *,
        small: str | BaseChatModel | None,
        large: str | BaseChatModel | None,
        tiers: Tiers | None,
        verifier: str | BaseChatModel | NamedModel | Verifier | None,
        language: str | Path | Prompts,
        layout: Layout | None,
        prices: Mapping[str, Price | Sequence[float]] | None,
        retries: Retries | None = None,
    ) -> Self:
        """Return the parts that the arguments of `build_automix` name.

        Raises:
            ConfigurationError: an argument cannot be used as given.
            MissingExtraError: a model needs a package that is not installed.
            ModelFileError: a local model's weights are missing or damaged.
        """
        given = _given(small, large, tiers)
        models = [named(tier.model, retries=tier.retries or retries, fallbacks=tier.fallbacks) for tier in given]
        judges = [
            choose_verifier(
                verifier if tier.verifier is None else tier.verifier,
                small=models[0],
                large=models[-1],
                retries=retries,
            )
            for tier in given[:-1]
        ]
        cascade = tuple(
            TierParts(name=name, model=model, verifier=judge)
            for name, model, judge in zip(tier_names(len(given)), models, (*judges, None), strict=True)
        )
        return cls(
            tiers=cascade, prompts=PromptChoice.of(language, layout), prices=_known_prices(prices, models, judges)
        )

    @property
    def large(self) -> NamedModel:
        """The model of the last tier."""
        return self.tiers[-1].model

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """Who judges the answers of each tier but the last."""
        return tuple(tier.verifier for tier in self.tiers if tier.verifier is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of all models, as far as verifiers say whom they ask."""
        judges = [judge for verifier in self.verifiers for judge in models_of(verifier) or ()]
        models = [tier.model for tier in self.tiers]
        fallbacks = [fallback for model in models for fallback in model.fallbacks]
        return tuple(model.label for model in (*models, *fallbacks, *judges))

    def answer_prompts(self, model: NamedModel) -> PromptChoice:
        """Return what a model is asked for an answer: the layout of the graph is for models that also judge."""
        judges = [judge.label for verifier in self.verifiers for judge in models_of(verifier) or ()]
        return self.prompts if model.label in judges else self.prompts.in_layout("document")


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
        "question and returns a list of Documents",
        code="bad-retriever",
    )


def _given(small: str | BaseChatModel | None, large: str | BaseChatModel | None, tiers: Any) -> tuple[ModelTier, ...]:
    if tiers is None:
        if small is None or large is None:
            missing = " and ".join(name for name, model in (("small", small), ("large", large)) if model is None)
            raise ConfigurationError(
                f"{missing} is missing; give small and large, or tiers=[...] for more models", code="bad-tiers"
            )
        return ModelTier(model=small), ModelTier(model=large)
    if small is not None or large is not None:
        raise ConfigurationError(
            "tiers and small or large are given; tiers=[...] names all models, cheapest first", code="bad-tiers"
        )
    if isinstance(tiers, str | bytes) or not isinstance(tiers, Sequence) or len(tiers) < 2:
        raise ConfigurationError(
            f"tiers is {tiers!r}; give a list of at least two models, cheapest first", code="bad-tiers"
        )
    found = tuple(tier if isinstance(tier, ModelTier) else ModelTier(model=tier) for tier in tiers)
    if found[-1].verifier is not None:
        raise ConfigurationError(
            "the last tier has a verifier, and its answers are never judged; leave it out", code="bad-tiers"
        )
    return found


def _known_prices(
    prices: Mapping[str, Price | Sequence[float]] | None, models: Sequence[NamedModel], judges: Sequence[Verifier]
) -> Prices:
    known = Prices(prices)
    asked = [models_of(judge) for judge in judges]
    if None in asked:
        return known  # a verifier that does not say whom it calls may charge under any label
    fallbacks = [fallback for model in models for fallback in model.fallbacks]
    labels = {model.label for model in (*models, *fallbacks, *(model for found in asked for model in found or ()))}
    if not known.labels <= labels:
        raise ConfigurationError(
            f"prices name {sorted(known.labels - labels)}, which this graph does not call; its models are "
            f"{sorted(labels)}",
            code="unknown-price",
        )
    return known
