"""How a plan looks to people: a verdict in one sentence first, then a table, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automix_graph.cli.plan_amounts import SHOWN_QUESTIONS, percent, usd
from automix_graph.cli.plan_plain import plain_row, price_source
from automix_graph.cli.plan_sentences import against_large, no_gap_sentence, recorded_sentence, sentence
from automix_graph.cli.planned import Planned, Stakes
from automix_graph.costs.comparison import LayoutCosts, Plan
from automix_graph.costs.layouts import ASSUMPTIONS
from automix_graph.costs.prices import Prices

_NAME_WIDTH: Final = 16
"""Columns; most verifiers are two lines then."""

_UNBOUNDED: Final = 10_000

_SPARED: Final = ("escalated", "kept", "against\nlarge")
"""Columns that a narrow terminal does without, in this order; `--json` has them all."""


def show(console: Console, planned: Planned) -> None:
    """Print a plan: what was recorded, the verdict, the table, and how to read it."""
    plan, labels, stakes = planned.plan, planned.labels, planned.stakes
    if planned.recorded is not None:
        told = recorded_sentence(planned.recorded, plan.accept_rate, labels)
        console.print(told, style="bold", markup=False, highlight=False)
        console.print("By the same tokens, with other verifiers:\n", highlight=False)
    console.print(sentence(plan, labels), style="bold", markup=False, highlight=False)
    if no_gap := no_gap_sentence(planned):
        console.print(no_gap, style="bold", markup=False, highlight=False)
    console.print("", _fitting(console, plan, stakes), "", *_how_to_read(plan, stakes), "", sep="\n", highlight=False)
    console.print(*_grounds(planned), sep="\n", highlight=False)


def _fitting(console: Console, plan: Plan, stakes: Stakes) -> Table:
    """Return the table with as many columns as the terminal has room for."""
    unbounded = console.options.update(width=_UNBOUNDED)  # a measure is never above the width that it is asked for
    for count in range(len(_SPARED) + 1):
        table = _table(plan, stakes, without=_SPARED[:count])
        if console.measure(table, options=unbounded).minimum <= console.width:
            break
    return table


def _table(plan: Plan, stakes: Stakes, *, without: Sequence[str]) -> Table:
    title = f"USD per {SHOWN_QUESTIONS:,} questions, cheapest first"
    table = Table(
        title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    rows = [
        {name: cell for name, cell in _cells(row, plan, stakes).items() if name not in without} for row in plan.rows
    ]
    names, *headers = rows[0]
    table.add_column(names, overflow="fold", min_width=_NAME_WIDTH)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for row, cells in zip(plan.rows, rows, strict=True):
        table.add_row(*cells.values(), style=_style(row, plan))
    table.add_section()
    large = usd(plan.rows[0].costs.always_large)
    always = {names: "always large", "kept": "", "escalated": large, "expected": large}
    table.add_row(*(always.get(header, "–") for header in rows[0]))
    return table


def _cells(row: LayoutCosts, plan: Plan, stakes: Stakes) -> dict[str, str]:
    costs = row.costs
    plain = plain_row(row, plan.accept_rate, stakes)
    needless = plain["expected_cost"] is not None and plain["needed_gap_share"] is None
    cells = {
        "verifier: who, reads, writes": row.layout.name,
        "kept": usd(costs.accepted),
        "escalated": usd(costs.escalated),
        "expected": usd(plain["expected_cost"]),
        "against\nlarge": against_large(row, plan),
        "pays\nabove": "never" if costs.can_pay is False else percent(costs.break_even_accept_rate),
    }
    if stakes.qualities is None:
        cells["must\nrecover"] = "–" if needless else percent(plain["needed_gap_share"])
    elif stakes.gap:  # the same, where it can be said as a quality
        cells["quality\nabove"] = "–" if needless else percent(plain["needed_quality"])
    if stakes.price_of_error is not None:
        errors = plain["affordable_errors"]
        cells["errors\nafforded"] = "unknown" if errors is None else f"{errors:+.2%}"
    return cells


def _style(row: LayoutCosts, plan: Plan) -> str:
    return "green" if row.costs.pays(plan.accept_rate) else "dim" if row.costs.can_pay is not True else ""


def _how_to_read(plan: Plan, stakes: Stakes) -> list[str]:
    escalated = percent(1 - plan.accept_rate)
    lines = ["pays above: the accept rate above which it costs less than always-large."]
    if stakes.qualities is None:
        lines.append(
            "must recover: the share of the quality gap between small and large above which the cascade is worth more "
            f"than a random mix of both models for the same money; escalating {escalated} at random recovers "
            f"{escalated}. Above 100%, it must be better than the large model alone."
        )
    elif stakes.gap:
        lines.append(
            "quality above: the quality above which the cascade is worth more than a random mix of both models for the "
            f"same money; the large model alone has {percent(stakes.gap[1])}."
        )
    if stakes.price_of_error is not None:
        lines.append(
            "errors afforded: how many more answers may be wrong than the large model's, at "
            f"${stakes.price_of_error:g} an error, before the saving is gone; below zero, it must be wrong less often."
        )
    return lines


def _grounds(planned: Planned) -> list[RenderableType]:
    prompts = planned.workload.prompts
    return [
        "USD per million tokens (input / cached / output):",
        *(_item(f"{judge} {label}: {_shown_price(label, planned.prices)}") for judge, label in planned.labels.items()),
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
    return f"{price.input:g} / {cached} / {price.output:g}, {price_source(label, prices)}"
