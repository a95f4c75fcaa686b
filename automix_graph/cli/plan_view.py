"""How a plan looks: a verdict in one sentence first, then a table for people or plain data for programs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automix_graph.costs.comparison import LayoutCosts, Plan
from automix_graph.costs.layouts import ASSUMPTIONS, Labels
from automix_graph.costs.prices import Prices
from automix_graph.costs.workload import Workload
from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    from automix_graph.evaluation.recorded_workload import RecordedWorkload

SCHEMA_VERSION: Final = 1
_SHOWN: Final = 1000
"""Questions whose cost is shown to people: that of one is too small to read."""


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


def as_plain(
    plan: Plan,
    workload: Workload,
    labels: Labels,
    prices: Prices,
    stakes: Stakes,
    recorded: RecordedWorkload | None = None,
) -> dict[str, Any]:
    """Return a plan as plain data; costs are in USD per question, and null where a price is unknown."""
    first = plan.rows[0].costs
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": sentence(plan, labels),
        "recorded": None if recorded is None else _plain_recorded(recorded, plan.accept_rate, labels),
        "outlook": plan.outlook,
        "accept_rate": plan.accept_rate,
        "always_small_cost": first.always_small,
        "always_large_cost": first.always_large,
        "cheapest": plan.cheapest and plan.cheapest.layout.name,
        "earliest": plan.earliest and plan.earliest.layout.name,
        "layouts": [_plain_row(row, plan.accept_rate, stakes) for row in plan.rows],
        "models": dict(labels),
        "prices": {label: _plain_price(label, prices) for label in labels.values()},
        "workload": dataclasses.asdict(workload),
        "assumptions": list(ASSUMPTIONS),
    }


def show(
    console: Console,
    plan: Plan,
    workload: Workload,
    labels: Labels,
    prices: Prices,
    stakes: Stakes,
    recorded: RecordedWorkload | None = None,
) -> None:
    """Print a plan: what was recorded, the verdict, the table, and how to read it."""
    if recorded is not None:
        console.print(
            recorded_sentence(recorded, plan.accept_rate, labels), style="bold", markup=False, highlight=False
        )
        console.print("By the same tokens, with other verifiers:\n", highlight=False)
    console.print(sentence(plan, labels), style="bold", markup=False, highlight=False)
    console.print("", _table(plan, stakes), "", *_how_to_read(plan, stakes), "", sep="\n", highlight=False)
    console.print(*_grounds(workload, labels, prices), sep="\n", highlight=False)


def sentence(plan: Plan, labels: Labels) -> str:
    """Return what the plan comes to."""
    best, earliest = plan.cheapest, plan.earliest
    if best is None or plan.outlook == "unknown":
        return "Nothing can be said: no verifier layout has a known cost."
    expected, large = _usd(best.costs.expected(plan.accept_rate)), _usd(best.costs.always_large)
    if plan.outlook == "never pays":
        least = min((row.costs.accepted, row.layout.name) for row in plan.rows if row.costs.accepted is not None)
        return (
            f"The cascade cannot pay with any of these verifiers: even if every small answer were kept, {_SHOWN:,} "
            f"questions would cost {_usd(least[0])} ({least[1]}), and always asking {labels['large']} costs {large}."
        )
    assert earliest is not None  # a layout that pays has a break-even
    if plan.outlook == "pays at a higher accept rate":
        return (
            f"At an accept rate of {_percent(plan.accept_rate)} the cascade does not pay: {_SHOWN:,} questions cost "
            f"{expected} at best ({best.layout.name}), and always asking {labels['large']} costs {large}. It would pay "
            f"above {_percent(earliest.costs.break_even_accept_rate)} ({earliest.layout.name})."
        )
    need = best.costs.needed_gap_share(plan.accept_rate)
    return (
        f"The cascade pays: with the verifier {best.layout.name}, {_SHOWN:,} questions cost {expected} instead of "
        f"{large} for always asking {labels['large']} ({_against_large(best, plan)}). It pays above an accept rate of "
        f"{_percent(best.costs.break_even_accept_rate)}, and is worth it if it recovers more than {_percent(need)} of "
        "the quality gap between the two models."
    )


def recorded_sentence(recorded: RecordedWorkload, accept_rate: float, labels: Labels) -> str:
    """Return what the recorded questions came to."""
    costs = recorded.costs
    expected = costs.expected(accept_rate)
    told = (
        f"As recorded ({recorded.n:,} questions, verifier {recorded.verifier}, accept rate {_percent(accept_rate)}), "
        f"{_SHOWN:,} questions cost {_usd(expected)} instead of {_usd(costs.always_large)} for always asking "
        f"{labels['large']}: "
    )
    if costs.can_pay is False:
        return told + "the cascade cannot pay, even if every small answer were kept."
    starts = _percent(costs.break_even_accept_rate)
    return told + (f"it pays, above {starts}." if costs.pays(accept_rate) else f"it would pay above {starts}.")


def _plain_recorded(recorded: RecordedWorkload, accept_rate: float, labels: Labels) -> dict[str, Any]:
    costs = recorded.costs
    return {
        "verdict": recorded_sentence(recorded, accept_rate, labels),
        "n": recorded.n,
        "verifier": recorded.verifier,
        "small_quality": recorded.qualities[0],
        "large_quality": recorded.qualities[1],
        "small_cost": costs.small,
        "verify_cost": costs.verify,
        "escalate_cost": costs.escalate,
        "always_large_cost": costs.always_large,
        "expected_cost": costs.expected(accept_rate),
        "pays": costs.pays(accept_rate),
        "can_pay": costs.can_pay,
        "break_even_accept_rate": costs.break_even_accept_rate,
        "needed_gap_share": costs.needed_gap_share(accept_rate),
    }


def _table(plan: Plan, stakes: Stakes) -> Table:
    title = f"USD per {_SHOWN:,} questions, cheapest first"
    table = Table(
        title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    table.add_column("verifier: who, reads, writes", overflow="fold")
    headers = ["kept", "escalated", "expected", "against\nlarge", "pays\nabove", "must\nrecover"]
    if stakes.qualities:
        headers.append("quality\nabove")
    if stakes.price_of_error is not None:
        headers.append("errors\nafforded")
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for row in plan.rows:
        table.add_row(*_cells(row, plan, stakes), style=_style(row, plan))
    table.add_section()
    large = plan.rows[0].costs.always_large
    table.add_row("always large", "", _usd(large), _usd(large), *["–"] * (len(table.columns) - 4))
    return table


def _cells(row: LayoutCosts, plan: Plan, stakes: Stakes) -> list[str]:
    costs = row.costs
    plain = _plain_row(row, plan.accept_rate, stakes)
    needless = plain["expected_cost"] is not None and plain["needed_gap_share"] is None
    cells = [
        row.layout.name,
        _usd(costs.accepted),
        _usd(costs.escalated),
        _usd(plain["expected_cost"]),
        _against_large(row, plan),
        "never" if costs.can_pay is False else _percent(costs.break_even_accept_rate),
        "–" if needless else _percent(plain["needed_gap_share"]),
    ]
    if stakes.qualities:
        cells.append("–" if needless else _percent(plain["needed_quality"]))
    if stakes.price_of_error is not None:
        errors = plain["affordable_errors"]
        cells.append("unknown" if errors is None else f"{errors:+.2%}")
    return cells


def _against_large(row: LayoutCosts, plan: Plan) -> str:
    expected, large = row.costs.expected(plan.accept_rate), row.costs.always_large
    if expected is None or large is None:
        return "unknown"
    return f"{expected / large - 1:+.0%}" if large else "–"


def _style(row: LayoutCosts, plan: Plan) -> str:
    return "green" if row.costs.pays(plan.accept_rate) else "dim" if row.costs.can_pay is not True else ""


def _how_to_read(plan: Plan, stakes: Stakes) -> list[str]:
    escalated = _percent(1 - plan.accept_rate)
    lines = [
        "pays above: the accept rate above which it costs less than always-large.",
        "must recover: the share of the quality gap between small and large above which the cascade is worth more than "
        "a random mix of both models for the same money; escalating "
        f"{escalated} at random recovers {escalated}. Above 100%, it must be better than the large model alone.",
    ]
    if stakes.price_of_error is not None:
        lines.append(
            "errors afforded: how many more answers may be wrong than the large model's, at "
            f"${stakes.price_of_error:g} an error, before the saving is gone; below zero, it must be wrong less often."
        )
    return lines


def _grounds(workload: Workload, labels: Labels, prices: Prices) -> list[RenderableType]:
    prompts = workload.prompts
    return [
        "USD per million tokens (input / cached / output):",
        *(_item(f"{judge} {label}: {_shown_price(label, prices)}") for judge, label in labels.items()),
        "Instructions and examples, in tokens (estimates, on the high side, unless given):",
        _item(
            f"{prompts.answer} in a prompt for an answer, {prompts.verify} in one for a verdict, {prompts.shared} in "
            "prompts that share their beginning"
        ),
        "Assumed:",
        *map(_item, ASSUMPTIONS),
    ]


def _item(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2))


def _shown_price(label: str, prices: Prices) -> str:
    price = prices.price(label)
    if price is None:
        return f"unknown; give it: --price {label}=INPUT/OUTPUT[/CACHED]"
    cached = "as input" if price.cached_input is None else f"{price.cached_input:g}"
    return f"{price.input:g} / {cached} / {price.output:g}, {_source(label, prices)}"


def _plain_price(label: str, prices: Prices) -> dict[str, Any]:
    price = prices.price(label)
    numbers = dict.fromkeys(("input", "output", "cached_input")) if price is None else price._asdict()
    return {**numbers, "source": "unknown" if price is None else _source(label, prices)}


def _source(label: str, prices: Prices) -> str:
    return "given" if label in prices.labels else "list price"


def _plain_row(row: LayoutCosts, accept_rate: float, stakes: Stakes) -> dict[str, Any]:
    costs, layout = row.costs, row.layout
    share = costs.needed_gap_share(accept_rate)
    quality = None
    if stakes.qualities and share is not None:
        small, large = stakes.qualities
        quality = small + share * (large - small)
    errors = None if stakes.price_of_error is None else costs.affordable_errors(accept_rate, stakes.price_of_error)
    return {
        "name": layout.name,
        "judge": layout.judge,
        "model": row.model,
        "reads": layout.reads,
        "method": layout.method,
        "small_cost": costs.small,
        "verify_cost": costs.verify,
        "escalate_cost": costs.escalate,
        "accepted_cost": costs.accepted,
        "escalated_cost": costs.escalated,
        "expected_cost": costs.expected(accept_rate),
        "pays": costs.pays(accept_rate),
        "can_pay": costs.can_pay,
        "break_even_accept_rate": costs.break_even_accept_rate,
        "needed_gap_share": share,
        "needed_quality": quality,
        "affordable_errors": errors,
    }


def _usd(cost: float | None) -> str:
    if cost is None:
        return "unknown"
    shown = cost * _SHOWN
    return f"${shown:,.4f}" if 0 < shown < 1 else f"${shown:,.2f}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"
