"""How a run of ``automix batch`` looks: as JSON for programs, as lines for people."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from automix_graph.batch import BatchReport
from automix_graph.cli.record_view import cost_of


def as_plain(report: BatchReport) -> dict[str, Any]:
    """Return a report as JSON values."""
    data = dataclasses.asdict(report)
    spent = {name: data.pop(name) for name in ("spent", "spent_now")}
    return {
        **data,
        "out": str(report.out),
        "journal": str(report.journal),
        "rejects": None if report.rejects is None else str(report.rejects),
        "cost": spent["spent"]["cost"],
        "cost_at_least": spent["spent"]["at_least"],
        "cost_now": spent["spent_now"]["cost"],
        "cost_now_at_least": spent["spent_now"]["at_least"],
        "complete": report.complete,
    }


def show(report: BatchReport) -> None:
    """Print a report for people."""
    if report.cut:
        click.echo(f"An unfinished last line of {report.cut} bytes was cut off; its question was asked again.")
    click.echo(f"answered: {report.answered} of {report.total} rows, {report.asked} asked about now")
    if report.routes:
        routes = ", ".join(f"{route} {count}" for route, count in sorted(report.routes.items()))
        click.echo(f"routes: {routes}; escalated {(report.escalated or 0.0):.1%}".replace("%", " %"))
    if report.degraded:
        click.echo(f"degraded: {report.degraded} answers were rejected and are the best there is")
    _show_failed(report)
    _show_rejected(report)
    click.echo(f"cost: {cost_of(report.spent)}, {cost_of(report.spent_now)} of it now; {report.seconds:.1f} seconds")
    if report.charged > report.spent.at_least:
        click.echo(f"charged to --max-cost: ${report.charged:.6f}, with calls that were given up at their worst")
    click.echo(f"rows: {report.out}")
    left = f"with {report.left} rows left" if report.left else "before all rows that failed were asked about again"
    if report.stop == "budget":
        click.echo(f"Stopped at --max-cost {left}; the same command with a higher one goes on.")
    elif report.stop == "failures":
        click.echo(
            f"Stopped at --stop-after-failures {left}: so many questions failed in a row that the models or the index "
            "must be out of order. The same command goes on."
        )
    elif report.stop == "unknown cost":
        click.echo(
            f"Stopped {left}: a model did not tell its tokens, or its price is unknown, so what was spent is unknown "
            "and --max-cost cannot be kept; the same command without it goes on."
        )


def _show_failed(report: BatchReport) -> None:
    for failed in report.first_failed:
        click.echo(f"failed: {failed.id!r}: {failed.error}")
    if more := report.failed - len(report.first_failed):
        click.echo(f"failed: {more} more")
    if report.failed:
        click.echo("The same command asks again about the rows that failed.")


def _show_rejected(report: BatchReport) -> None:
    for rejected in report.first_rejected:
        click.echo(f"cannot be used: line {rejected.line}: {rejected.reason}")
    if more := report.rejected - len(report.first_rejected):
        click.echo(f"cannot be used: {more} more")
    if report.rejects is not None:
        click.echo(f"rows that cannot be used: {report.rejects}")
