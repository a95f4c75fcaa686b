"""Ways to verify, side by side, cheapest first; and whether any of them pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from automix_graph.costs.break_even import QuestionCosts, check_share
from automix_graph.costs.layouts import Labels, VerifierLayout, answer_alone, calls_of
from automix_graph.costs.ledger import total_cost
from automix_graph.costs.prices import Prices
from automix_graph.costs.workload import Workload
from automix_graph.errors import ConfigurationError

Outlook = Literal["pays", "pays at a higher accept rate", "never pays", "unknown"]
"""What can be said of the layouts whose costs are known; ``unknown`` where there is none."""


@dataclass(frozen=True, kw_only=True)
class LayoutCosts:
    """What a question costs with one way of verifying.

    Attributes:
        layout: the way.
        model: label of the judge.
        costs: in USD per question.
    """

    layout: VerifierLayout
    model: str
    costs: QuestionCosts


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Ways to verify, compared.

    Attributes:
        accept_rate: share of small answers that are kept, in [0, 1].
        rows: the layouts, least expected cost first; those of unknown cost last.

    Raises:
        ConfigurationError: the accept rate is no number in [0, 1], or there is no row.
    """

    accept_rate: float
    rows: tuple[LayoutCosts, ...]

    def __post_init__(self) -> None:
        check_share("accept_rate", self.accept_rate)
        if not self.rows:
            raise ConfigurationError("there is no verifier layout to compare; give at least one")

    @property
    def cheapest(self) -> LayoutCosts | None:
        """The layout of least expected cost; None where no cost is known."""
        first = self.rows[0]
        return None if first.costs.expected(self.accept_rate) is None else first

    @property
    def earliest(self) -> LayoutCosts | None:
        """The layout that pays from the lowest accept rate on; None where none ever pays."""
        paying = [row for row in self.rows if row.costs.break_even_accept_rate is not None]
        return min(paying, key=lambda row: row.costs.break_even_accept_rate or 0.0, default=None)

    @property
    def outlook(self) -> Outlook:
        """Whether any layout costs less than always asking the large model."""
        if self.cheapest is None or self.cheapest.costs.always_large is None:
            return "unknown"
        if self.cheapest.costs.pays(self.accept_rate):
            return "pays"
        return "never pays" if self.earliest is None else "pays at a higher accept rate"


def compare_layouts(
    layouts: Sequence[VerifierLayout], workload: Workload, labels: Labels, prices: Prices, *, accept_rate: float
) -> Plan:
    """Work out what a question costs with each way of verifying.

    Args:
        layouts: to compare; those by a third model are left out where there is none, and those that read the evidence
            where the workload does not say how much that is.
        workload: tokens of one question.
        labels: of the small, the large and perhaps a third model.
        prices: of these models; an unknown one makes the costs that need it None.
        accept_rate: share of small answers that are kept, in [0, 1].

    Raises:
        ConfigurationError: the accept rate is no number in [0, 1], or no layout is left.

    Example:
        >>> from automix_graph.costs import Price, PromptTokens, default_layouts
        >>> prompts = PromptTokens(answer=100, verify=900, shared=800, shared_answer=10, shared_verify=50)
        >>> workload = Workload(context=3000, question=30, small_answer=60, large_answer=80, prompts=prompts)
        >>> prices = Prices({"s": Price(1, 4, 0.1), "l": Price(5, 20, 0.5)})
        >>> plan = compare_layouts(default_layouts(), workload, {"small": "s", "large": "l"}, prices, accept_rate=0.6)
        >>> plan.outlook, plan.cheapest.layout.name
        ('pays', 'small, shared prefix, short')
    """
    check_share("accept_rate", accept_rate)
    possible = [
        layout
        for layout in layouts
        if layout.judge in labels and (layout.reads != "evidence" or workload.evidence is not None)
    ]
    rows = [
        LayoutCosts(layout=layout, model=labels[layout.judge], costs=question_costs(layout, workload, labels, prices))
        for layout in possible
    ]
    return Plan(accept_rate=accept_rate, rows=tuple(sorted(rows, key=lambda row: _rank(row, accept_rate))))


def question_costs(layout: VerifierLayout, workload: Workload, labels: Labels, prices: Prices) -> QuestionCosts:
    """Return what the parts of a question cost with one way of verifying."""
    calls = calls_of(layout, workload, labels)
    return QuestionCosts(
        small=prices.cost(calls.small),
        verify=total_cost(prices.charge(calls.verify)),
        escalate=prices.cost(calls.escalate),
        always_small=prices.cost(answer_alone("small", workload, labels)),
        always_large=prices.cost(answer_alone("large", workload, labels)),
    )


def _rank(row: LayoutCosts, accept_rate: float) -> float:
    expected = row.costs.expected(accept_rate)
    return math.inf if expected is None else expected
