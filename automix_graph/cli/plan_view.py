"""How a plan looks to people: a verdict in one sentence first, then a table, and what it rests on."""

from __future__ import annotations

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automix_graph.cli.plan_amounts import SHOWN_QUESTIONS, percent, usd
from automix_graph.cli.plan_plain import plain_row, price_source
from automix_graph.cli.plan_sentences import against_large, recorded_sentence, sentence
from automix_graph.cli.planned import Planned, Stakes
from automix_graph.costs.comparison import LayoutCosts, Plan
from automix_graph.costs.layouts import ASSUMPTIONS
from automix_graph.costs.prices import Prices


def show(console: Console, planned: Planned) -> None:
    """Print a plan: what was recorded, the verdict, the table, and how to read it."""
    plan, labels, stakes = planned.plan, planned.labels, planned.stakes
    if planned.recorded is not None:
        told = recorded_sentence(planned.recorded, plan.accept_rate, labels)
        console.print(told, style="bold", markup=False, highlight=False)
        console.print("By the same tokens, with other verifiers:\n", highlight=False)
    console.print(sentence(plan, labels), style="bold", markup=False, highlight=False)
    console.print("", _table(plan, stakes), "", *_how_to_read(plan, stakes), "", sep="\n", highlight=False)
    console.print(*_grounds(planned), sep="\n", highlight=False)


def _table(plan: Plan, stakes: Stakes) -> Table:
    title = f"USD per {SHOWN_QUESTIONS:,} questions, cheapest first"
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
    table.add_row("always large", "", usd(large), usd(large), *["–"] * (len(table.columns) - 4))
    return table


def _cells(row: LayoutCosts, plan: Plan, stakes: Stakes) -> list[str]:
    costs = row.costs
    plain = plain_row(row, plan.accept_rate, stakes)
    needless = plain["expected_cost"] is not None and plain["needed_gap_share"] is None
    cells = [
        row.layout.name,
        usd(costs.accepted),
        usd(costs.escalated),
        usd(plain["expected_cost"]),
        against_large(row, plan),
        "never" if costs.can_pay is False else percent(costs.break_even_accept_rate),
        "–" if needless else percent(plain["needed_gap_share"]),
    ]
    if stakes.qualities:
        cells.append("–" if needless else percent(plain["needed_quality"]))
    if stakes.price_of_error is not None:
        errors = plain["affordable_errors"]
        cells.append("unknown" if errors is None else f"{errors:+.2%}")
    return cells


def _style(row: LayoutCosts, plan: Plan) -> str:
    return "green" if row.costs.pays(plan.accept_rate) else "dim" if row.costs.can_pay is not True else ""


def _how_to_read(plan: Plan, stakes: Stakes) -> list[str]:
    escalated = percent(1 - plan.accept_rate)
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
