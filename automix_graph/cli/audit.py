"""``automix audit``: whether a policy still does what was found when it was calibrated."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from automix_graph.cli.options import json_option

if TYPE_CHECKING:
    from automix_graph.auditing import Audit
    from automix_graph.policies import Provenance

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_STATUS: Final = {"keep": 0, "recalibrate": 3, "too few": 4}
"""1 is an error and 2 a wrong use, as everywhere."""


@click.command()
@click.argument("records", type=_FILE)
@click.option("--policy", "policy_file", required=True, type=_FILE, metavar="FILE", help="The policy in question.")
@click.option(
    "--reference",
    type=_FILE,
    metavar="RECORDS",
    help="Records that the policy was calibrated on, to compare confidences with.",
)
@click.option(
    "--max-error",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="A",
    help="Bound on the share of kept answers that differ from the large model's. Default: what was certified.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    default=0.5,
    show_default=True,
    help="Relative excess over the bound that must be ruled out before the verdict is 'keep'.",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of permutations and resamples.")
@json_option
def audit(
    records: Path,
    *,
    policy_file: Path,
    reference: Path | None,
    max_error: float | None,
    tolerance: float,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Compare RECORDS of users' questions with a policy's promise.

    No model is called. RECORDS are of shadow mode, or of a cascade with an audit rate:

    \b
      automix serve --index my-index --policy policy.json \\
        --audit-rate 0.05 --audit-records audit.jsonl --audit-max-cost 5
      automix audit audit.jsonl --policy policy.json --reference records.jsonl

    The interval on kept answers, and the alarm, hold however often this is run.

    The exit status is 0 for the verdict 'keep', 3 for 'recalibrate', 4 for 'too few', 1 for an error.
    """  # noqa: D301  # click needs the control character
    # Imported here: numpy takes a while, and --help must not.
    from automix_graph.auditing import audit as audit_records
    from automix_graph.evaluation import read_records
    from automix_graph.policies import load_policy, load_provenance

    provenance = load_provenance(policy_file)
    found = audit_records(
        read_records(records),
        load_policy(policy_file, check=False),
        provenance=provenance,
        reference=None if reference is None else read_records(reference),
        max_error=max_error,
        level=level,
        tolerance=tolerance,
        seed=seed,
    )
    command = _again(records, policy_file, provenance) if found.verdict.answer == "recalibrate" else None
    if as_json:
        plain = {"records": str(records), "policy_file": str(policy_file), **found.as_dict(), "command": command}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        _show(Console(), found, command)
    click.get_current_context().exit(_STATUS[found.verdict.answer])


def _again(records: Path, policy_file: Path, provenance: Provenance | None) -> str:
    """Return how to calibrate again, for the target that was had."""
    target = dict(provenance.facts["target"]) if provenance is not None else {"target": "max-error", "alpha": 0.1}
    name = target.pop("target")
    levels = {"alpha": f"--{name}", "delta": "--delta"}
    options = [part for key, value in target.items() for part in (levels.get(key, f"--{name}"), f"{value:g}")]
    if "alpha" in target and "delta" not in target:
        options += ["--delta", "0.1"]
    return shlex.join(["automix", "calibrate", str(records), "--label-free", "--out", str(policy_file), *options])


def _show(console: Console, found: Audit, command: str | None) -> None:
    def say(text: str) -> None:
        console.print(escape(text), highlight=False)

    console.print(f"Verdict: [bold]{found.verdict.answer}[/bold]", highlight=False)
    for reason in found.verdict.reasons:
        say(reason)
    if command is not None:
        say(f"Calibrate again on fresh records: {command}")
    say(f"\n{found.n} questions, of which {found.policy} kept {found.kept} answers.")
    quality = found.quality
    if quality.estimate is not None:
        bound = "" if quality.alpha is None else f"; the bound is {quality.alpha:.3g}"
        say(
            f"{_RISKS[quality.risk]}: {quality.estimate:.3g}, {100 * quality.level:.3g} % interval at all times "
            f"{quality.low:.3g} to {quality.high:.3g}{bound}."
        )
    if found.drift is not None:
        drift = found.drift
        say(
            f"Confidences: stability index {drift.psi:.3g} ({drift.psi_low:.3g} to {drift.psi_high:.3g}), "
            f"Kolmogorov-Smirnov distance {drift.ks:.3g}, p = {drift.p_value:.3g} for one look "
            f"({drift.n} and {drift.n_reference} questions)."
        )
    console.print(_trend(found))
    for reason, count in found.left_out.items():
        say(f"Left out: {count} ({reason}).")
    for note in found.notes:
        say(note)


_RISKS: Final = {
    "error": "Share of kept answers that differ from the large model's",
    "regret": "Share of questions that lose by the cascade",
}


def _trend(found: Audit) -> Table:
    table = Table(title="Over time; intervals are for one look at one row", title_justify="left", box=None)
    for heading in ("", "Questions", "Kept", "Differ", "95 % interval", "Mean confidence"):
        table.add_column(heading, justify="left" if not heading else "right")
    for block in found.trend:
        table.add_row(
            block.name,
            str(block.n),
            str(block.kept),
            "" if block.error is None else f"{block.error:.3f}",
            f"{block.low:.3f} to {block.high:.3f}" if block.kept else "",
            "" if block.confidence is None else f"{block.confidence:.3f}",
        )
    return table
