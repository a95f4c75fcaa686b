"""Measure how long fitting and calibrating take, and how much memory.

A thousand rows: each fit beside the POMDP training of automix-llm 1.0.3 on the same rows, in turn in one run. A million
rows: the whole of `calibrate` for each target, each in a process of its own, whose peak of resident memory is read at
its end. Times are of the processor, so that other work on the machine counts for little. The rows are drawn: the small
model is right with the confidence as the probability, the large one with 0.9. Example, in about two minutes::

    python benchmarks/calibration_speed.py --out speed.json
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from automix_llm import METHODS, Trained
from rich.console import Console
from rich.table import Table

from automix_graph.calibration import (
    MaxCost,
    MaxError,
    MaxRegret,
    MinQuality,
    PriceOfError,
    Target,
    calibrate,
    fit_optimal_stopping,
    fit_pomdp,
    fit_threshold,
    fit_utility,
)
from automix_graph.evaluation import Outcomes, Tier

COST: Final = 20.0
LAM: Final = 0.01
TARGETS: Final[tuple[Target, ...]] = (
    MaxCost(8),
    MinQuality(0.8),
    PriceOfError(100),
    MaxError(0.15, 0.1),
    MaxRegret(0.05, 0.1),
)
_SHOWN: Final = {"seconds": 1, "seconds_of_the_clock": 1, "peak_gib": 2}

KIB: Final = 1024 if sys.platform != "darwin" else 1
"""Bytes in a unit of ``ru_maxrss``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "fit_rows": options.fit_rows,
        "fits": _fits(options.fit_rows, options.repeats),
        "rows": options.rows,
        "calibrations": [_in_a_process(options.rows, position) for position in range(len(TARGETS))],
    }
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit-rows", type=int, default=1000, help="rows to fit (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows to calibrate on (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=7, help="of each fit (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _drawn(n: int) -> Outcomes:
    generator = np.random.default_rng(0)
    sure = generator.random(n)
    small = Tier(name="small", quality=generator.random(n) < sure, cost=1.0, confidence=sure, verify_cost=0.15)
    return Outcomes(tiers=(small, Tier(name="large", quality=generator.random(n) < 0.9, cost=COST)))


def _fits(n: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return the median seconds that each fit takes, and how many times longer the training of theirs takes."""
    rows = _drawn(n)
    sure, small, large = rows.small.confidence, rows.small.quality, rows.large.quality
    fits: dict[str, Callable[[], Any]] = {
        "automix-llm POMDP(8)": lambda: Trained.on(rows, METHODS["POMDP(8)"]()),
        "fit_threshold": lambda: fit_threshold(sure, small=small, large=large, cost=COST, lam=LAM),
        "fit_utility": lambda: fit_utility(sure, small=small, large=large, cost=COST, lam=LAM),
        "fit_pomdp": lambda: fit_pomdp([sure], [small, large], costs=[1.15, COST], lam=LAM).table,
        "fit_optimal_stopping": lambda: fit_optimal_stopping([sure], [small, large], costs=[1.15, COST], lam=LAM).table,
        "calibrate, whole": lambda: calibrate(rows, PriceOfError(1 / LAM)),
    }
    taken: dict[str, list[float]] = {name: [] for name in fits}
    # The first round warms up.
    for turn in range(repeats + 1):
        for name, fit in fits.items():
            started = time.process_time()
            fit()
            if turn:
                taken[name].append(time.process_time() - started)
    theirs = float(np.median(taken["automix-llm POMDP(8)"]))
    return {
        name: {"seconds": float(np.median(times)), "times_faster": theirs / float(np.median(times))}
        for name, times in taken.items()
    }


def _in_a_process(n: int, position: int) -> dict[str, Any]:
    """Return what one calibration takes, in a process of its own, so that the peak of memory is its own too."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_calibrated, (n, position))


def _calibrated(n: int, position: int) -> dict[str, Any]:
    rows, target = _drawn(n), TARGETS[position]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, busy = time.perf_counter(), time.process_time()
    found = calibrate(rows, target)
    return {
        "target": target.name,
        "policy": found.policy.name,
        "seconds": time.process_time() - busy,
        "seconds_of_the_clock": time.perf_counter() - started,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / 2**30,
        "peak_of_the_rows_gib": before * KIB / 2**30,
    }


def _show(result: dict[str, Any]) -> None:
    fits = Table(title=f"Fitting {result['fit_rows']:,} rows", title_justify="left")
    for header in ("", "milliseconds", "times faster than automix-llm"):
        fits.add_column(header, justify="right" if header else "left")
    for name, found in result["fits"].items():
        fits.add_row(name, f"{1000 * found['seconds']:.2f}", f"{found['times_faster']:.0f}")
    large = Table(title=f"Calibrating on {result['rows']:,} rows", title_justify="left")
    for header in ("target", "policy", "seconds", "by the clock", "peak GiB"):
        large.add_column(header, justify="left" if header in ("target", "policy") else "right")
    for found in result["calibrations"]:
        numbers = (f"{found[key]:.{digits}f}" for key, digits in _SHOWN.items())
        large.add_row(found["target"], found["policy"], *numbers)
    Console().print(fits, large, f"{result['date']}, {result['machine']}", sep="\n")


if __name__ == "__main__":
    sys.exit(main())
