"""What verifiers share that are one judge's: the judge with its label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from langchain_core.language_models import BaseChatModel

from automix_graph.models.calling import NamedModel, named


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Have one model judge.

    Attributes:
        judge: the model that judges, or its name.
    """

    judge: str | BaseChatModel | NamedModel

    def __post_init__(self) -> None:
        _ = self.model  # a model that cannot be had is refused now

    @cached_property
    def model(self) -> NamedModel:
        """The judge with its label."""
        return named(self.judge)

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The judge alone."""
        return (self.model,)
