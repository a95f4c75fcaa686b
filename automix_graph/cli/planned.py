"""All that there is to show of a plan, to people or to programs. Nothing here is worked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from automix_graph.costs.comparison import Plan
from automix_graph.costs.layouts import Labels
from automix_graph.costs.prices import Prices
from automix_graph.costs.workload import Workload
from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    from automix_graph.evaluation.recorded_workload import RecordedWorkload


@dataclass(frozen=True, kw_only=True)
class Stakes:
    """What quality is worth, as far as the user said.

    Attributes:
        price_of_error: what a wrong answer costs, in USD.
        qualities: shares of right answers of the small and the large model.

    Raises:
        ConfigurationError: the price is not above 0.
    """

    price_of_error: float | None = None
    qualities: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.price_of_error is not None and not 0 < self.price_of_error < float("inf"):
            raise ConfigurationError(
                f"price_of_error is {self.price_of_error!r}; use what a wrong answer costs in USD, above 0"
            )

    @property
    def gap(self) -> tuple[float, float] | None:
        """The qualities, if there is anything between them that a cascade could recover."""
        return self.qualities if self.qualities and self.qualities[0] < self.qualities[1] else None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan with what it was made from.

    Attributes:
        plan: the layouts that were compared.
        workload: tokens of a question.
        labels: of the models.
        prices: of the models.
        stakes: what quality is worth.
        recorded: what was recorded with the same models; None where nothing was.
    """

    plan: Plan
    workload: Workload
    labels: Labels
    prices: Prices
    stakes: Stakes
    recorded: RecordedWorkload | None = None
