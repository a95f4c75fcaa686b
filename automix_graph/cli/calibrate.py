"""``automix calibrate``: from records, or a table of per-question results, to a policy in a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from automix_graph.cli.options import json_option
from automix_graph.cli.price_option import price_option
from automix_graph.cli.source import Source, read_source, unit_option
from automix_graph.cli.target_options import TargetOptions, target_options
from automix_graph.cli.tier_options import TierOptions, given_tiers, tier_options

if TYPE_CHECKING:
    from automix_graph.calibration import CalibrationRefused, Origin
    from automix_graph.costs import Price
    from automix_graph.evaluation import RecordFile
    from automix_graph.evaluation.call_costs import Unit


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="policy.json",
    help="File of the policy; one that is there is replaced, and left alone where nothing can be calibrated.",
)
@target_options
@tier_options
@price_option
@unit_option
@click.option(
    "--groups",
    metavar="COLUMN",
    help="Of a table: what names the question of a row, such as its id or text, so that rows of one question stay "
    "together. In records it is the question itself.",
)
@click.option(
    "--label-free",
    is_flag=True,
    help="Without gold answers: quality is that the small answer says what the large one says. In a table, --small "
    "is the column that says so (1 or 0), and --large is left out.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg|FILE.png",
    help="Also draw what the policy does by confidence; needs the 'report' extra.",
)
@click.option(
    "--seed", type=click.IntRange(min=0, max=2**64 - 1), default=0, show_default=True, help="Of all that is drawn."
)
@json_option
def calibrate(
    file: Path,
    *,
    out: Path,
    max_cost: float | None,
    min_quality: float | None,
    max_error: float | None,
    max_regret: float | None,
    price_of_error: float | None,
    delta: float | None,
    given: tuple[tuple[str, Price], ...],
    unit: Unit | None,
    groups: str | None,
    label_free: bool,
    plot: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Choose the policy that meets a target on FILE.

    FILE holds records, or a table with one row a question; it and its options are those of 'automix evaluate'. No model
    is called. Budgets and prices of errors are in the unit of the costs.
    Give one target:

    \b
      automix calibrate records.jsonl --out policy.json --max-cost 0.002
      automix calibrate records.jsonl --out policy.json \\
        --max-error 0.1 --delta 0.1
      automix calibrate results.csv --out policy.json --price-of-error 100 \\
        --small s_ok --large l_ok --confidence s_conf \\
        --cost-small 1 --cost-large 20 --verify-cost 0.15

    --max-error and --max-regret are guarantees: thresholds are chosen on three tenths of the questions and certified on
    the others. The other targets take what cross-validation lets expect.

    Where the data do not support the target, nothing is written, the exit status is 1, and the message says what would
    be needed. Use the policy with: automix ask --policy policy.json
    """  # noqa: D301  # click needs the control character
    target = TargetOptions(
        max_cost=max_cost,
        min_quality=min_quality,
        max_error=max_error,
        max_regret=max_regret,
        price_of_error=price_of_error,
        delta=delta,
    ).target()
    if plot is not None:
        from automix_graph.calibration.plot import require_plot_file

        require_plot_file(plot)
    # Imported here: numpy takes a while, and --help must not.
    from automix_graph.calibration import CalibrationRefused, provenance_of
    from automix_graph.calibration import calibrate as calibrate_outcomes
    from automix_graph.calibration.targets import Guarantee
    from automix_graph.cli import calibration_view
    from automix_graph.policies import save_policy

    source = _read(
        file,
        given_tiers(),
        prices=dict(given),
        unit=unit,
        # What is guaranteed is about quality: costs are shown, and decide nothing.
        unpriced="tokens" if isinstance(target, Guarantee) else "usd",
        label_free=label_free,
    )
    if unit is None and source.outcomes.unit == "tokens":
        click.echo("costs are in tokens: the price of a model is unknown, and this target needs none", err=True)
    try:
        found = calibrate_outcomes(
            source.outcomes,
            target,
            groups=_groups(file, source, groups),
            seed=seed,
            label="agreement with the large model" if label_free else "quality",
        )
    except CalibrationRefused as error:
        if as_json:
            click.echo(json.dumps(_refused(file, error), ensure_ascii=False, indent=2))
        raise
    if plot is not None:
        from automix_graph.calibration.plot import write_plot

        write_plot(found, plot)
    provenance = provenance_of(found, source.outcomes, _origin(file, source, dict(given)))
    save_policy(found.policy, out, provenance=provenance)
    if as_json:
        plain = {"table": str(file), "out": str(out), **found.as_dict(), "left_out": source.left_out.counts}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        calibration_view.show(Console(), found, source, out)


def _read(
    file: Path,
    options: TierOptions,
    *,
    prices: dict[str, Price],
    unit: Unit | None,
    unpriced: Unit,
    label_free: bool,
) -> Source:
    from automix_graph.calibration.agreement import large_is_right, require_quality

    if not (label_free and options.given):
        source = read_source(file, options, prices=prices, unit=unit, unpriced=unpriced, by_agreement=label_free)
        if source.records is not None and not label_free:
            require_quality(source.records.rows)
        return source
    if options.tiers or options.large:
        raise click.UsageError(
            f"with --label-free, {'--tier' if options.tiers else '--large'} is not used: the large answers are right "
            "by definition; give --small with the column that says whether the small answer agrees"
        )
    # The shorthand reads two qualities; that of the large answers is set afterwards.
    source = read_source(file, dataclasses.replace(options, large=options.small), prices=prices, unit=unit)
    return dataclasses.replace(source, outcomes=large_is_right(source.outcomes))


def _groups(file: Path, source: Source, column: str | None) -> list[str] | None:
    from automix_graph.calibration.recorded_questions import folded, question_groups

    if source.records is None:
        from automix_graph.evaluation.tables import read_labels

        return None if column is None else [folded(label) for label in read_labels(file, column)]
    if column is not None:
        raise click.UsageError("--groups names a column of a table; records are grouped by their questions")
    return question_groups(source.records.rows, source.outcomes.ids or ())


def _origin(file: Path, source: Source, given: dict[str, Price]) -> Origin:
    from automix_graph.calibration import Origin, made_for_records

    with file.open("rb") as opened:
        data: dict[str, Any] = {"file": file.name, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}
    if source.records is None:
        return Origin(data=data)
    return Origin(
        made_for=made_for_records(source.records),
        data={**data, "settings": source.records.settings, "left_out": source.left_out.counts},
        prices=_prices(source.records, given) if source.outcomes.unit == "usd" else None,
    )


def _prices(records: RecordFile, given: dict[str, Price]) -> dict[str, tuple[float | None, ...]]:
    from automix_graph.costs import Prices

    known = Prices(given)
    labels = {call.model for row in records.rows if row.record is not None for call in row.record.calls}
    found = {label: known.price(label) for label in sorted(labels)}
    return {label: tuple(price) for label, price in found.items() if price is not None}


def _refused(file: Path, error: CalibrationRefused) -> dict[str, Any]:
    return {"table": str(file), "refused": {"reason": error.reason, "message": str(error), **error.numbers}}
