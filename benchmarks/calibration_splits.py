"""Calibrate on some rows, and measure on the others, over and over: every target and every family of policies.

The rows are those of three Llama-2 models on CosmosQA (`cosmosqa_llama2_9995.csv`): whether each is right, and how
probable it found its own choice, which is its confidence. Each split draws n rows at random for calibration; held out
are all others. Beside `calibrate` stand its families by themselves, fitted to the same rows, and the methods of
automix-llm 1.0.3, trained on them. Example, in about half an hour on two cores::

    python benchmarks/calibration_splits.py cosmosqa_llama2_9995.csv --json splits.json --markdown splits.md

"At equal cost" is worked out on the held-out rows: the budget of ours is what the policy of theirs cost on the
calibration rows. What is left of a difference in cost is made even between the policies of ours for all such budgets,
keeping everything and sending everything on: between two of them quality and cost lie on a straight line, since
questions can be sent to either by lot.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import datetime
import json
import multiprocessing
import platform
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from automix_llm import METHODS, Trained, proposing
from splits_report import markdown, summarised

from automix_graph.calibration import (
    CalibrationRefused,
    MaxCost,
    MaxError,
    MaxRegret,
    MinQuality,
    PriceOfError,
    Target,
    calibrate,
)
from automix_graph.calibration.families import families_for, fit
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Guarantee
from automix_graph.evaluation import Cascade, Outcomes, Tier, replay, run_cascade

Row = dict[str, Any]

VERIFY: Final = 0.15
SIZES: Final = (100, 300, 1000, 3000)
BUDGET: Final = 8.0
TARGETS: Final[tuple[Target, ...]] = (
    MaxCost(BUDGET),
    MinQuality(0.86),
    PriceOfError(100),
    MaxError(0.15, 0.1),
    MaxRegret(0.05, 0.1),
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Models, cheapest first, and what an answer of each costs."""

    models: tuple[str, ...]
    costs: tuple[float, ...]


SETTINGS: Final = {
    "two tiers": Setting(models=("l13", "l70"), costs=(1.0, 20.0)),
    "three tiers": Setting(models=("l7", "l13", "l70"), costs=(1.0, 4.0, 20.0)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    tasks = [(name, n, split) for name in options.settings for split in range(options.splits) for n in options.n]
    rows = _measured(tasks, options)
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "table": options.table.name,
        "splits": options.splits,
        "verify_cost": VERIFY,
        "settings": {name: dataclasses.asdict(SETTINGS[name]) for name in options.settings},
        **summarised(rows),
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    text = markdown(result)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _measured(tasks: Sequence[tuple[str, int, int]], options: argparse.Namespace) -> list[Row]:
    """Return what was found in all splits, or, after Ctrl-C, in those that are done."""
    started, rows = time.perf_counter(), []
    with multiprocessing.get_context("spawn").Pool(options.jobs, _read, (options.table,)) as pool:
        try:
            for done, found in enumerate(pool.imap_unordered(_split, tasks), start=1):
                rows += found
                if done % 20 == 0 or done == len(tasks):
                    print(f"{done} of {len(tasks)} splits, {time.perf_counter() - started:.0f} s", file=sys.stderr)
        except KeyboardInterrupt:
            pool.terminate()
            print("stopped; the tables are of the splits that are done", file=sys.stderr)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="CSV with l7_ok, l7_pmax and so on")
    parser.add_argument("--splits", type=int, default=100, help="for each n (default: %(default)s)")
    parser.add_argument("--n", type=int, nargs="+", default=SIZES, help="calibration rows (default: %(default)s)")
    parser.add_argument("--settings", nargs="+", choices=sorted(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--markdown", type=Path, help="write its tables to this file")
    return parser


_TABLE: dict[str, np.ndarray] = {}
"""The columns of the table, read once a process."""


def _read(path: Path) -> None:
    # Ctrl-C is for the process that reports.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [f"{model}_{kind}" for model in ("l7", "l13", "l70") for kind in ("ok", "pmax")]
    _TABLE.update({name: np.array([float(row[name]) for row in rows]) for name in names})


def _outcomes(models: Sequence[str], costs: Sequence[float]) -> Outcomes:
    *judged, last = zip(models, costs, strict=True)
    tiers = [
        Tier(
            name=model, quality=_TABLE[f"{model}_ok"], cost=cost, confidence=_TABLE[f"{model}_pmax"], verify_cost=VERIFY
        )
        for model, cost in judged
    ]
    return Outcomes(tiers=(*tiers, Tier(name=last[0], quality=_TABLE[f"{last[0]}_ok"], cost=last[1])))


def _split(task: tuple[str, int, int]) -> list[Row]:
    name, n, split = task
    setting = SETTINGS[name]
    everything = _outcomes(setting.models, setting.costs)
    order = np.random.default_rng([n, split]).permutation(everything.n)
    rows, unseen = everything.take(order[:n]), everything.take(order[n:])
    common = {"setting": name, "n": n, "split": split}
    found = [row for target in TARGETS for row in _targeted(rows, unseen, target)]
    # Theirs knows two models: the last two.
    pair = _outcomes(setting.models[-2:], setting.costs[-2:])
    found += _beside(rows, unseen, pair.take(order[:n]), pair.take(order[n:]))
    return [common | row for row in found]


def _targeted(rows: Outcomes, unseen: Outcomes, target: Target, *, families: bool = True) -> Iterator[Row]:
    """Yield what the default and, without a guarantee, each family make of a target on unseen rows."""
    common = {"target": _label(target)}
    try:
        calibrated = calibrate(rows, target)
    except CalibrationRefused as error:
        yield common | {"policy": "calibrate", "refused": error.reason}
    else:
        cascade = replay(unseen, calibrated.policy)
        family = next(each.family for each in calibrated.compared if each.chosen)
        risk = _risk(cascade, unseen, target) if isinstance(target, Guarantee) else None
        yield common | {"policy": "calibrate", "family": family, "risk": risk, **_means(cascade)}
    if isinstance(target, Guarantee) or not families:
        return
    for name, family_of in families_for(len(rows.tiers)).items():
        try:
            fitted = fit(family_of, QuestionRows.of(rows, None), target)
        except ValueError as error:
            yield common | {"policy": name, "refused": str(error)}
        else:
            yield common | {"policy": name, **_means(replay(unseen, fitted.policy))}


def _label(target: Target) -> str:
    """Return a target as the options of the command.

    Example: ``--max-error 0.15 --delta 0.1``.
    """
    match target:
        case MaxCost(cost=cost):
            return f"--max-cost {cost:g}"
        case MinQuality(quality=quality):
            return f"--min-quality {quality:g}"
        case PriceOfError(price=price):
            return f"--price-of-error {price:g}"
        case MaxError(alpha=alpha, delta=delta):
            return f"--max-error {alpha:g} --delta {delta:g}"
        case MaxRegret(alpha=alpha, delta=delta):
            return f"--max-regret {alpha:g} --delta {delta:g}"


def _risk(cascade: Cascade, unseen: Outcomes, target: Guarantee) -> Row:
    """Return the risk of a policy on unseen rows, and whether it is above what was guaranteed."""
    kept = cascade.route < len(unseen.tiers) - 1
    if isinstance(target, MaxError):
        risk = float((1.0 - cascade.quality[kept]).mean()) if kept.any() else 0.0
    else:
        risk = float(np.maximum(unseen.large.quality - cascade.quality, 0.0).mean())
    return {"mean": risk, "above": risk > target.alpha, "kept": float(kept.mean())}


def _means(cascade: Cascade) -> Row:
    return {"quality": float(cascade.quality.mean()), "cost": float(cascade.cost.mean())}


def _beside(rows: Outcomes, unseen: Outcomes, pair: Outcomes, pair_unseen: Outcomes) -> list[Row]:
    """Return for each method of theirs its held-out quality and cost, and the quality of ours at that cost."""
    trainings = {"the lift": None, f"a cost up to {BUDGET:g}": (0.8 * BUDGET, BUDGET)}
    found, ours = [], []
    for method in METHODS:
        made = proposing(method, pair)
        for goal, within in trainings.items():
            row = {"method": method, "trained_for": goal}
            try:
                trained = Trained.on(pair, made, within=within)
            except ValueError as error:
                found.append(row | {"failed": str(error)})
                continue
            spent, theirs = (_means(run_cascade(each, [~trained.escalated(each)])) for each in (pair, pair_unseen))
            ours += _targeted(rows, unseen, MaxCost(spent["cost"]), families=False)
            found.append(row | {"theirs": theirs})
    curve = _curve([row for row in ours if "refused" not in row], unseen)
    return [
        row if "failed" in row else row | {"ours": float(np.interp(row["theirs"]["cost"], *curve))} for row in found
    ]


def _curve(ours: Sequence[Row], unseen: Outcomes) -> np.ndarray:
    """Return costs and qualities that can be had on unseen rows, by cost, shape (2, m)."""
    first = float((unseen.small.cost + unseen.small.verify_cost).mean())
    ends = [
        (first, float(unseen.small.quality.mean())),
        (first + float(unseen.large.cost.mean()), float(unseen.large.quality.mean())),
    ]
    return np.array(sorted({*ends, *((row["cost"], row["quality"]) for row in ours)})).T


if __name__ == "__main__":
    sys.exit(main())
