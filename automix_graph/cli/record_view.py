"""How a run of ``automix record`` looks: as JSON for programs, as lines for people."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from automix_graph.costs import Price
from automix_graph.recording import RecordingReport, Spent


def as_plain(report: RecordingReport, parquet: Path | None) -> dict[str, Any]:
    """Return a report as JSON values."""
    data = dataclasses.asdict(report)
    spent = {name: data.pop(name) for name in ("spent", "spent_now")}
    scores = data.pop("scores")
    return {
        **data,
        "out": str(report.out),
        "parquet": None if parquet is None else str(parquet),
        **{"small": None, "large": None, **scores},
        "cost": spent["spent"]["cost"],
        "cost_at_least": spent["spent"]["at_least"],
        "cost_now": spent["spent_now"]["cost"],
        "cost_now_at_least": spent["spent_now"]["at_least"],
        "complete": report.complete,
    }


def show(
    report: RecordingReport, parquet: Path | None, prices: Sequence[tuple[str, Price]], *, index_given: bool
) -> None:
    """Print a report for people.

    Args:
        report: of a run.
        parquet: the table that was written too.
        prices: as given, for the next command.
        index_given: whether there was an index that a row's own context took the place of.
    """
    if report.cut:
        click.echo(f"An unfinished last line of {report.cut} bytes was cut off; its question was asked again.")
    click.echo(f"recorded: {report.recorded} of {report.total} rows, {report.added} of them now")
    for failed in report.failed:
        click.echo(f"failed: {failed.id!r}: {failed.error}")
    for bad in report.bad:
        click.echo(f"cannot be used: {bad.place}: {bad.reason}")
    if report.own_context and index_given:
        click.echo(
            f"{report.own_context} rows were answered from a context of their own, not from the index; "
            "--ignore-context (with another --out) retrieves for all"
        )
    if report.scores:
        means = ", ".join(f"{tier} {score:.4f}" for tier, score in report.scores.items())
        click.echo(f"score ({report.scorer}, {report.scored} rows): {means}")
    elif report.recorded:
        click.echo("score: none; no recorded row has gold answers")
    click.echo(f"cost: {cost_of(report.spent)}, {cost_of(report.spent_now)} of it now; {report.seconds:.1f} seconds")
    click.echo(f"records: {report.out}" + ("" if parquet is None else f", {parquet}"))
    if report.failed:
        click.echo("The same command asks again about the rows that failed.")
    if report.scores:
        click.echo(f"compare policies: automix evaluate {report.out}{_costs_of(report, prices)}")


def _costs_of(report: RecordingReport, prices: Sequence[tuple[str, Price]]) -> str:
    """Return the options that tell the next command what calls cost."""
    if report.spent.at_least == 0 and report.spent.cost is None:
        return " --unit tokens"
    return "".join(
        f" --price {shlex.quote(label)}={'/'.join(f'{number:g}' for number in price if number is not None)}"
        for label, price in prices
    )


def cost_of(spent: Spent) -> str:
    """Return what was spent, for people."""
    return f"at least ${spent.at_least:.6f}" if spent.cost is None else f"${spent.cost:.6f}"
