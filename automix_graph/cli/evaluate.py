"""``automix evaluate``: what a cascade is worth on records, or on a table of per-question results."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from automix_graph.cli.options import json_option
from automix_graph.cli.policy_options import given_policies, policy_options
from automix_graph.cli.price_option import price_option
from automix_graph.cli.source import Source, read_source, unit_option
from automix_graph.cli.tier_options import given_tiers, tier_options

if TYPE_CHECKING:
    from automix_graph.costs import Price
    from automix_graph.evaluation import Evaluation, RecordFile
    from automix_graph.evaluation.call_costs import Unit
    from automix_graph.policies import Policy


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tier_options
@price_option
@unit_option
@policy_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--resamples",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Of the bootstrap, for the 95 % intervals.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Also write a report with plots: one file that needs no network.",
)
@json_option
def evaluate(
    file: Path,
    *,
    given: tuple[tuple[str, Price], ...],
    unit: Unit | None,
    seed: int,
    resamples: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure what a cascade is worth on FILE.

    FILE holds records, or a table with one row a question. No model is called.

    Records are what 'automix record' writes (JSON Lines or Parquet). They need no options; costs are worked out from
    the recorded calls at list prices or yours:

    \b
      automix evaluate records.jsonl
      automix evaluate records.jsonl --price local:small=0.1/0.4 \\
        --policy policy.json --threshold 0.7 --report report.html

    A table is CSV, JSON Lines or Parquet (which needs the 'evaluation' extra). Quality and confidence lie in [0, 1];
    costs may have any unit, the same for all. Other columns are not read. Two tiers:

    \b
      automix evaluate results.csv --small s_ok --large l_ok \\
        --confidence s_conf --cost-small 1 --cost-large 20 --verify-cost 0.15

    Three tiers:

    \b
      automix evaluate results.csv --tier a:a_ok:1:a_conf \\
        --tier b:b_ok:4:b_conf --tier c:c_ok:20 --verify-cost 0.15
    """  # noqa: D301  # click needs the control character
    source = read_source(file, given_tiers(), prices=dict(given), unit=unit)
    # Imported here: numpy takes a while, and --help must not.
    from automix_graph.cli import evaluation_view
    from automix_graph.evaluation import evaluation_dict

    found = run(source, given_policies(), seed=seed, resamples=resamples)
    if report is not None:
        from automix_graph.evaluation.report import write_report

        rows = None if source.records is None else source.records.rows
        write_report(found, report, records=rows, command=shlex.join(["automix", *sys.argv[1:]]))
    if as_json:
        plain = {"table": str(file), **evaluation_dict(found), "records": _records(source.records)}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        evaluation_view.show(Console(), found, source.records)


def _records(file: RecordFile | None) -> dict[str, Any] | None:
    if file is None:
        return None
    from automix_graph.records import agreement_scorers

    return {
        "settings": dict(file.described),
        "replaced": file.replaced,
        "unfinished": file.unfinished,
        "agreement_scorers": agreement_scorers(file.rows),
    }


def run(source: Source, policies: Sequence[Policy], *, seed: int, resamples: int) -> Evaluation:
    """Evaluate with a progress bar on stderr."""
    from rich.progress import Progress

    from automix_graph.evaluation import evaluate as evaluate_outcomes

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("resampling", total=resamples)
        return evaluate_outcomes(
            source.outcomes,
            policies,
            seed=seed,
            n_resamples=resamples,
            left_out=source.left_out,
            progress=lambda: bar.advance(task),
        )
