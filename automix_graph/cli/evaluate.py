"""``automix evaluate``: what a cascade is worth on a table of per-question results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from automix_graph.cli.options import json_option
from automix_graph.cli.tier_options import tier_options

if TYPE_CHECKING:
    from automix_graph.evaluation import Evaluation, Outcomes, Rule, TierColumns


@click.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tier_options
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    type=click.FloatRange(0.0, 1.0),
    metavar="T",
    help="Policy to evaluate: keep an answer if its confidence is at least T. Repeat to compare; the first is the "
    "headline. Default: keep it if its confidence is above 0.5.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--resamples",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Of the bootstrap, for the 95 % intervals.",
)
@json_option
def evaluate(
    table: Path,
    *,
    tiers: tuple[str, ...],
    small: str | None,
    large: str | None,
    confidence: str | None,
    cost_small: str | None,
    cost_large: str | None,
    verify_cost: str,
    thresholds: tuple[float, ...],
    seed: int,
    resamples: int,
    as_json: bool,
) -> None:
    """Measure what a cascade is worth on TABLE, a file with one row a question.

    TABLE is CSV, JSON Lines or Parquet (which needs the 'evaluation' extra). Quality and confidence lie in [0, 1];
    costs may have any unit, the same for all. Other columns are not read. No model is called.

    Two tiers:

    \b
      automix evaluate results.csv --small s_ok --large l_ok \\
        --confidence s_conf --cost-small 1 --cost-large 20 --verify-cost 0.15

    Three tiers:

    \b
      automix evaluate results.csv --tier a:a_ok:1:a_conf \\
        --tier b:b_ok:4:b_conf --tier c:c_ok:20 --verify-cost 0.15
    """  # noqa: D301  # click needs the control character
    shorthand = {
        "--small": small,
        "--large": large,
        "--confidence": confidence,
        "--cost-small": cost_small,
        "--cost-large": cost_large,
    }
    _check_options(tiers, shorthand)
    # Imported here: numpy takes a while, and --help must not.
    from automix_graph.cli import evaluation_view
    from automix_graph.evaluation import ACCEPT_CORRECT, Rule, evaluation_dict, read_outcomes
    from automix_graph.evaluation.tier_columns import parse_cost

    columns = columns_of(tiers, shorthand)
    outcomes = read_outcomes(table, columns, parse_cost(verify_cost))
    rules = [Rule(threshold) for threshold in dict.fromkeys(thresholds)] or [ACCEPT_CORRECT]
    found = run(outcomes, rules, seed=seed, resamples=resamples)
    if as_json:
        click.echo(json.dumps({"table": str(table), **evaluation_dict(found)}, ensure_ascii=False, indent=2))
    else:
        evaluation_view.show(Console(), found)


def run(outcomes: Outcomes, rules: Sequence[Rule], *, seed: int, resamples: int) -> Evaluation:
    """Evaluate with a progress bar on stderr."""
    from rich.progress import Progress

    from automix_graph.evaluation import evaluate as evaluate_outcomes

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("resampling", total=resamples)
        return evaluate_outcomes(outcomes, rules, seed=seed, n_resamples=resamples, progress=lambda: bar.advance(task))


def columns_of(tiers: Sequence[str], shorthand: dict[str, str | None]) -> list[TierColumns]:
    """Return the columns of the tiers that the options name; one of the two ways is complete."""
    from automix_graph.evaluation import TierColumns
    from automix_graph.evaluation.tier_columns import parse_cost

    if tiers:
        return [TierColumns.parse(text) for text in tiers]
    given = {name: value or "" for name, value in shorthand.items()}
    return [
        TierColumns(
            name="small",
            quality=given["--small"],
            cost=parse_cost(given["--cost-small"]),
            confidence=given["--confidence"],
        ),
        TierColumns(name="large", quality=given["--large"], cost=parse_cost(given["--cost-large"])),
    ]


def _check_options(tiers: Sequence[str], shorthand: dict[str, str | None]) -> None:
    given = [name for name, value in shorthand.items() if value is not None]
    missing = [name for name, value in shorthand.items() if not value]
    if tiers and given:
        raise click.UsageError(f"give either --tier or {given[0]}, not both")
    if not tiers and missing:
        raise click.UsageError(
            f"{', '.join(missing)} not given; give --tier for each tier, or all of {', '.join(shorthand)}"
        )
