"""What a command makes its cascade of, as plain values, so that it can be made in another process too.

A recipe can be pickled and sent to the actors of a cluster, where the same models, prompts and index are opened. What
is made there is compared with what was made here, so that a machine with another index is noticed.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval.opened_index import opened_index

if TYPE_CHECKING:
    from automix_graph.costs import Limits, Price
    from automix_graph.graph import AllTiers, ModelTier
    from automix_graph.graph.build import CompiledGraph
    from automix_graph.graph.draft import OnLargeFailure
    from automix_graph.graph.retrieve import OnRetrieverFailure
    from automix_graph.models.retrying import Retries
    from automix_graph.policies import Policy
    from automix_graph.prompts import Layout


@dataclass(frozen=True, kw_only=True)
class CascadeRecipe:
    """What a cascade is made of.

    Attributes:
        models: names of the models and their judges, cheapest first.
        index_dir: folder of the index; None where every question comes with a context of its own.
        embedding: name of the embedding model.
        k: passages retrieved for a question.
        search: how they are searched.
        language: of the prompts.
        layout: of the prompts of a model that judges.
        prices: by model label.
        policy: of the graph.
        limits: of the graph.
        retries: what is done about models that fail for a reason that may pass.
        on_large_failure: of the graph.
        on_retriever_failure: of the graph.
    """

    models: tuple[ModelTier, ...]
    index_dir: Path | None
    embedding: str
    k: int
    search: str
    language: str
    layout: Layout
    prices: Mapping[str, Price]
    policy: Policy | None = None
    limits: Limits | None = None
    retries: Retries | None = None
    on_large_failure: OnLargeFailure = "degrade"
    on_retriever_failure: OnRetrieverFailure = "raise"

    @contextlib.contextmanager
    def opened(self) -> Iterator[Cascade]:
        """Make the cascade, with its index open for as long as the block runs."""
        index = (
            contextlib.nullcontext()
            if self.index_dir is None
            else opened_index(self.index_dir, self.embedding, k=self.k, search=self.search)
        )
        with index as retriever:
            yield Cascade(recipe=self, retriever=retriever)


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """A cascade whose index is open.

    Attributes:
        recipe: that it is made of.
        retriever: over the index; None where there is none.
    """

    recipe: CascadeRecipe
    retriever: Any

    def tiers(self) -> AllTiers:
        """Return all tiers, for records, and to tell what the cascade is made of."""
        from automix_graph.graph import AllTiers

        made_of = self.recipe
        return AllTiers(
            tiers=list(made_of.models),
            retriever=self.retriever,
            language=made_of.language,
            layout=made_of.layout,
            prices=made_of.prices,
            retries=made_of.retries,
        )

    def graph(self) -> CompiledGraph:
        """Return the graph."""
        from automix_graph.graph import create_automix

        made_of = self.recipe
        return create_automix(
            tiers=list(made_of.models),
            policy=made_of.policy,
            limits=made_of.limits,
            on_large_failure=made_of.on_large_failure,
            on_retriever_failure=made_of.on_retriever_failure,
            retries=made_of.retries,
            retriever=self.retriever,
            language=made_of.language,
            layout=made_of.layout,
            prices=made_of.prices,
        )


@dataclass(frozen=True, kw_only=True)
class RemoteGraph:
    """Makes the graph of a recipe, in an actor; the index stays open as long as the actor lives.

    Attributes:
        recipe: of the cascade.
        settings: what `settings_of` told of it where the command runs.

    Raises:
        ConfigurationError: it is another one here.
    """

    recipe: CascadeRecipe
    settings: Mapping[str, Any]

    def __call__(self) -> CompiledGraph:
        """Make the graph."""
        from automix_graph.batch import settings_of

        cascade = _opened_for_good(self.recipe)
        found = settings_of(cascade.tiers(), self.recipe.policy, self.recipe.limits)
        if found != self.settings:
            raise ConfigurationError(different(self.settings, found), code="other-configuration")
        return cascade.graph()


@dataclass(frozen=True, kw_only=True)
class RemoteTiers:
    """Makes all tiers of a recipe, in an actor; the index stays open as long as the actor lives.

    Attributes:
        recipe: of the cascade.
    """

    recipe: CascadeRecipe

    def __call__(self) -> AllTiers:
        """Make the tiers."""
        return _opened_for_good(self.recipe).tiers()


def _opened_for_good(recipe: CascadeRecipe) -> Cascade:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(recipe.opened())


def different(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    """Return what is said where an actor makes another cascade than the command."""
    from automix_graph.recording.settings import Settings

    told = "; ".join(Settings(described=there).differences(here)).replace(" in the file", " here")
    return (
        f"an actor has another configuration than this process: {told.replace(' now', ' there')}; give all machines "
        "the same index, models and version of automix-graph"
    )
